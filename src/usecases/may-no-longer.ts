import type { RoleId } from '../core/account.ts'
import { type Denial, deny, isDenial } from '../core/denial.ts'
import { callerOfSession, hasRole } from './authenticate.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'

/** The account and session that act. */
export interface Actor extends Pick<Action, 'accountId' | 'sessionId'> {
  /** The roles that permit the action; left out when every role does. */
  readonly roles?: readonly RoleId[]
}

/**
 * Returns why the actor may no longer act, or null. Called after a password has been hashed: in that time the actor's
 * session may have ended, or the account may have been suspended or lost its role. An actor without a session, as on
 * the command line, may always act. Denials: those of `authenticate`, and `forbidden`.
 */
export async function mayNoLonger(deps: Pick<Deps, 'store'>, by: Actor): Promise<Denial | null> {
  const { accountId, sessionId = null, roles } = by
  if (sessionId === null) return null
  const caller = await callerOfSession(deps, { accountId, sessionId })
  if (isDenial(caller)) return caller
  return roles === undefined || hasRole(caller, roles) ? null : deny('forbidden')
}
