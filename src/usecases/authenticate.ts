import type { Account, RoleId } from '../core/account.ts'
import { type Denial, deny } from '../core/denial.ts'
import { type Session, sessionDenial } from '../core/session.ts'
import { readAccessToken } from '../tokens/access-token.ts'
import type { Deps } from './deps.ts'
import { readWithNewKey } from './read-with-new-key.ts'
import { denialWithoutSession } from './without-session.ts'

/** How far ahead the clock of another instance may be. RFC 7519, section 4.1.5: no more than a few minutes. */
const SKEW_MS = 60_000

/** The caller's session, and the caller's account as it is now. */
export interface Caller {
  readonly session: Session
  readonly account: Account
}

/**
 * Returns the holder of an access token if the session lives and the account is active at this moment. Both are read
 * from the store, so that an end on one instance holds on all.
 * Denials: `token-invalid`, `token-expired`, `session-over`, `account-unknown`, `account-inactive`.
 */
export async function authenticate(
  deps: Deps,
  accessToken: string,
  request: { readonly address: string },
): Promise<Caller | Denial> {
  const { keys, names, store } = deps
  const claims =
    readAccessToken(accessToken, keys.verifiers('access'), names) ??
    (await readWithNewKey(deps, 'access', accessToken, readAccessToken))
  if (claims === null) {
    deps.events.invalidToken(request.address)
    return deny('token-invalid')
  }
  const nowMs = store.clock.nowMs()
  // A token from the future was signed before a clock was set back. Told that it has expired, the client refreshes, and
  // nobody is signed out.
  const isOfFuture = claims.notBeforeSeconds * 1000 > nowMs + SKEW_MS
  if (isOfFuture || nowMs >= claims.expiresAtSeconds * 1000) return deny('token-expired')
  return callerOfSession(deps, claims)
}

/**
 * Returns the caller that a session belongs to, if the session lives and the account is active at this moment. Denials:
 * those of `authenticate` about session and account.
 */
export async function callerOfSession(
  { store }: Pick<Deps, 'store'>,
  claims: { readonly sessionId: string; readonly accountId: number },
): Promise<Caller | Denial> {
  const view = await store.readSession(claims.sessionId)
  if (view === null) return denialWithoutSession({ store }, claims.accountId)
  const denial = sessionDenial(view, claims.accountId, store.clock.nowMs())
  if (denial !== null) return denial
  return { session: view.session, account: view.account as Account }
}

/** Whether the caller's role, as it is now, is one of `roles`. */
export function hasRole(caller: Caller, roles: readonly RoleId[]): boolean {
  return roles.includes(caller.account.roleId)
}
