/** The access token of the Duktig face (contract, section 5). */
import { digitsOf } from '../core/digits.ts'
import type { Session, SessionAccount } from '../core/session.ts'
import { signJws, verifyJws } from './jws.ts'
import { randomId } from './random-id.ts'
import type { SigningKey } from './signing-key.ts'

/** The issuer and the audience of all tokens, from the settings. */
export interface TokenNames {
  readonly issuer: string
  readonly audience: string
}

export interface AccessTokenClaims {
  readonly accountId: number
  readonly sessionId: string
  /** The later one of `nbf` and `iat`. */
  readonly notBeforeSeconds: number
  readonly expiresAtSeconds: number
}

export interface MintedToken {
  readonly token: string
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number
}

/** Mints an access token for a session, with the account's present data. The token never outlives the session. */
export function mintAccessToken(
  key: SigningKey,
  names: TokenNames,
  session: Session,
  account: SessionAccount,
  ttlSeconds: number,
  nowMs: number,
): MintedToken {
  const nowSeconds = Math.floor(nowMs / 1000)
  const expiresAtSeconds = Math.min(nowSeconds + ttlSeconds, Math.floor(session.expiresAtMs / 1000))
  const token = signJws(
    key,
    JSON.stringify({
      iss: names.issuer,
      aud: names.audience,
      sub: digitsOf(account.accountId),
      jti: randomId(),
      nbf: nowSeconds,
      iat: nowSeconds,
      exp: expiresAtSeconds,
      account: {
        userId: account.accountId,
        firstName: account.firstName,
        lastName: account.lastName,
        email: account.email,
        roleId: account.roleId,
      },
      sid: session.sessionId,
    }),
  )
  return { token, expiresAtSeconds }
}

/** The claims of a genuine access token, whether or not it is valid at this time; null for everything else. */
export function readAccessToken(
  token: string,
  keys: readonly SigningKey[],
  names: TokenNames,
): AccessTokenClaims | null {
  const claims = verifyJws(token, keys)
  if (claims === null || claims['iss'] !== names.issuer || claims['aud'] !== names.audience) return null
  const { sub, sid, nbf, iat, exp } = claims
  if (typeof sub !== 'string' || typeof sid !== 'string') return null
  if (!isDate(nbf) || !isDate(iat) || !isDate(exp)) return null
  const notBeforeSeconds = Math.max(nbf, iat)
  return { accountId: Number(sub), sessionId: sid, notBeforeSeconds, expiresAtSeconds: exp }
}

/** A NumericDate (RFC 7519, section 2) as this service writes it: a whole number of seconds. */
function isDate(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
