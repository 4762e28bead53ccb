import type { RoleId } from '../core/account.ts'
import { type Denial, deny, isDenial } from '../core/denial.ts'
import { callerOfSession, hasRole } from './authenticate.ts'
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
export async function mayNoLonger(deps: Pick<Deps, 'store'>, by: Actor): Promise<Denial | null> {
  const { accountId, sessionId = null, roles } = by
  if (sessionId === null) return null
  const caller = await callerOfSession(deps, { accountId, sessionId })
  if (isDenial(caller)) return caller
  return roles === undefined || hasRole(caller, roles) ? null : deny('forbidden')
}
