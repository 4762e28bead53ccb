import type { EndReason } from '../core/session.ts'
import type { Action, Events } from './events.ts'

/** Records the ends of sessions of one account; `by` says whose they were and from where they were ended. */
export function sessionsEnded(
  events: Events,
  { accountId, address = null }: Pick<Action, 'accountId' | 'address'>,
  sessionIds: readonly string[],
  reason: EndReason,
): void {
  for (const sessionId of sessionIds)
    events.action({ accountId, code: 'Auth->SessionEnded', message: reason, sessionId, address })
}
