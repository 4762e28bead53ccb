import type { RoleId } from '../core/account.ts'
import { type Denial, deny } from '../core/denial.ts'
import { type SessionAccount, sessionDenial } from '../core/session.ts'
import { hasRole } from './authenticate.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'

/** Who acts. */
export interface Actor extends Pick<Action, 'accountId' | 'sessionId'> {
  /** The roles that may do this; any if it is left out. */
  readonly roles?: readonly RoleId[]
}

/**
 * Why whoever acts may not any more, or null: hashes take their time, and who was let in before them could outlive the end of his
 * session, the suspension of his account or the loss of his role. Without a session, as on the command line, there is nothing to lose.
 * Denials: those of `authenticate`, and `forbidden`.
 */
export async function mayNoLonger({ store }: Pick<Deps, 'store'>, by: Actor): Promise<Denial | null> {
  if (by.sessionId === undefined || by.sessionId === null) return null
  const view = await store.readSession(by.sessionId)
  if (view === null) return deny('session-over', 'unknown')
  const denial = sessionDenial(view, by.accountId, store.clock.nowMs())
  if (denial !== null || by.roles === undefined) return denial
  const caller = { session: view.session, account: view.account as SessionAccount }
  return hasRole(caller, by.roles) ? null : deny('forbidden')
}
