import type { EndReason } from '../core/session.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'
import { sessionsEnded } from './sessions-ended.ts'
import { told } from './told.ts'

/** Ends all live sessions of an account and makes sign-ins under way fail. Returns how many sessions it ended. */
export async function endSessions(
  deps: Deps,
  by: Action,
  accountId: number,
  reason: EndReason,
): Promise<number> {
  const ended = await told(deps.store.endSessions(accountId, reason), (sessionIds) => {
    deps.events.action(by)
    sessionsEnded(deps.events, { ...by, accountId }, sessionIds, reason)
  })
  return ended.length
}
