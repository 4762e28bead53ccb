import { type Denial, isDenial } from '../core/denial.ts'
import { sessionDenial } from '../core/session.ts'
import { readAccessToken } from '../tokens/access-token.ts'
import { readRefreshToken } from '../tokens/refresh-token.ts'
import type { Deps } from './deps.ts'
import { endSession } from './end-session.ts'
import { readWithNewKey } from './read-with-new-key.ts'
import { exchangeLegacyToken } from './refresh-legacy-session.ts'
import { denialWithoutSession } from './without-session.ts'

/**
 * Ends the session of a refresh token of any generation: whoever holds one may sign out.
 * Denials: `token-invalid`, `session-over`, `account-unknown`, `account-inactive`.
 */
export async function signOutWithRefreshToken(
  deps: Deps,
  refreshToken: string,
  address: string,
): Promise<Denial | null> {
  const { keys, names, store } = deps
  const claims =
    readRefreshToken(refreshToken, keys.verifiers('refresh'), names) ??
    (await readWithNewKey(deps, 'refresh', refreshToken, readRefreshToken)) ??
    (await exchangeLegacyToken(deps, { refreshToken, application: null, address }))
  if (isDenial(claims)) return claims
  const view = await store.readSession(claims.sessionId)
  if (view === null) return denialWithoutSession(deps, claims.accountId)
  const denial = sessionDenial(view, claims.accountId, store.clock.nowMs())
  if (denial !== null) {
    // An earlier request may have ended the session but failed to write the journal: ending it again makes up for that.
    if (view.session.endedAtMs !== null)
      await store.endSession(claims.accountId, claims.sessionId, 'signed-out')
    return denial
  }
  return signOut(deps, claims, address)
}

/**
 * For a caller who was about to end the session of this access token and is told that it is over: an earlier request may
 * have ended it, alone or with others, but failed to write the journal. Ending it again makes up for that.
 * @throws {StoreUnavailable}
 */
export async function confirmEnd({ keys, names, store }: Deps, accessToken: string): Promise<void> {
  const claims = readAccessToken(accessToken, keys.verifiers('access'), names)
  if (claims === null) return
  const session = (await store.readSession(claims.sessionId))?.session
  // A session that is over without an end, such as an idle one, keeps its reason.
  if (session === undefined || session.endedAtMs === null) return
  await store.endSession(claims.accountId, claims.sessionId, 'signed-out')
}

/** Ends a session for its own account. */
export function signOut(
  deps: Deps,
  { accountId, sessionId }: { readonly accountId: number; readonly sessionId: string },
  address: string,
): Promise<Denial | null> {
  const by = {
    accountId,
    code: 'Auth->SignOut',
    message: 'Signed out successfully',
    sessionId,
    address,
  } as const
  return endSession(deps, by, accountId, sessionId, 'signed-out')
}
