import { type Denial, deny } from '../core/denial.ts'
import type { EndReason } from '../core/session.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'
import { told } from './told.ts'

/** What all session ids are made of. A path may name any other text, and PostgreSQL takes none with a NUL in it. */
const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Ends one session of an account; null when the session is over, also if it had ended before. When this returns, the
 * end is durable, and no request that starts later succeeds with a token of the session. Denials: `not-found`.
 */
export async function endSession(
  deps: Deps,
  by: Action,
  accountId: number,
  sessionId: string,
  reason: EndReason,
): Promise<Denial | null> {
  if (!SESSION_ID.test(sessionId)) return deny('not-found')
  const ended = await told(deps.store.endSession(accountId, sessionId, reason), (isEnded) => {
    if (!isEnded) return
    deps.events.action(by)
    deps.events.action({ ...by, accountId, code: 'Auth->SessionEnded', message: reason, sessionId })
  })
  if (ended) return null
  const view = await deps.store.readSession(sessionId)
  return view === null || view.session.accountId !== accountId ? deny('not-found') : null
}
