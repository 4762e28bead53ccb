/**
 * The refresh token of the Duktig face: a signed statement of session, generation and account. Its bytes are a pure
 * function of the session's row and the key that the row names, so the token of the current generation can be made
 * again at any time (docs/refresh.md).
 */
import { digitsOf } from '../core/digits.ts'
import type { Session } from '../core/session.ts'
import type { TokenNames } from './access-token.ts'
import { signJws, verifyJws } from './jws.ts'
import type { SigningKey } from './signing-key.ts'

export interface RefreshTokenClaims {
  readonly sessionId: string
  readonly accountId: number
  readonly generation: number
}

/** The refresh token of the row's current generation. */
export function mintRefreshToken(key: SigningKey, names: TokenNames, session: Session): string {
  const issuedAtSeconds = Math.floor(session.rotatedAtMs / 1000)
  return signJws(
    key,
    JSON.stringify({
      iss: names.issuer,
      aud: names.audience,
      sub: digitsOf(session.accountId),
      jti: `${session.sessionId}.${session.generation}`,
      nbf: issuedAtSeconds,
      iat: issuedAtSeconds,
      exp: session.expiresAtMs / 1000,
      account: { userId: session.accountId },
      sid: session.sessionId,
      gen: session.generation,
    }),
  )
}

/**
 * The claims of a genuine refresh token; null for everything else. `exp` is not checked here: the session's row holds
 * the end, and the store's clock decides about it.
 */
export function readRefreshToken(
  token: string,
  keys: readonly SigningKey[],
  names: TokenNames,
): RefreshTokenClaims | null {
  const claims = verifyJws(token, keys)
  if (claims === null || claims['iss'] !== names.issuer || claims['aud'] !== names.audience) return null
  const { sub, sid, gen } = claims
  if (typeof sub !== 'string' || typeof sid !== 'string' || !Number.isSafeInteger(gen)) return null
  return { sessionId: sid, accountId: Number(sub), generation: gen as number }
}
