import { type Denial, deny } from '../core/denial.ts'
import type { EndReason } from '../core/session.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'

/**
 * Ends one session of an account; null when it is over, whoever ended it. When this returns, the end is durable and
 * nothing that starts later succeeds with a token of the session. Denials: `not-found`.
 */
export async function endSession(
  deps: Deps,
  by: Action,
  accountId: number,
  sessionId: string,
  reason: EndReason,
): Promise<Denial | null> {
  const ended = await deps.store.endSession(accountId, sessionId, reason)
  if (ended) {
    deps.events.action(by)
    deps.events.action({ ...by, accountId, code: 'Auth->SessionEnded', message: reason, sessionId })
    return null
  }
  const view = await deps.store.readSession(sessionId)
  return view === null || view.session.accountId !== accountId ? deny('not-found') : null
}
