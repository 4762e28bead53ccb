/** Refresh tokens that the PHP original issued. They are only read: this service signs nothing with its secrets. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { LegacyClaims } from '../core/legacy.ts'
import { LIMITS } from '../settings/limits.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import { shortHash } from './short-hash.ts'

/** Two values of the original's configuration. */
export interface LegacyKeys {
  /** `JWT.refresh_token.secretKey`. */
  readonly refreshSecret: string
  /** `JWT.refresh_token.account_key`. */
  readonly accountKey: string
}

export interface LegacyRefreshToken extends LegacyClaims {
  /**
   * The session that the token stands for: SHA-256 over the decoded claims, cut to the length of other session ids. So
   * a token has one session wherever it is presented, even if somebody managed to spell its base64url in another way.
   * The id cannot be guessed, since the claims hold the 128 random bits of a bcrypt salt.
   */
  readonly sessionId: string
}

/** The only header that the original wrote. Tokens are recognised by this text; no header is ever parsed. */
const HEADER_SEGMENT = encodeBase64url('{"typ":"JWT","cty":"JWT","alg":"HS256"}')
/** The end of the year 9999: dates are written with four digits for the year. */
const LATEST_SECONDS = 253_402_300_799

/** The claims of a genuine refresh token of the original, whether or not it has expired; null for everything else. */
export function readLegacyRefreshToken(token: string, refreshSecret: string): LegacyRefreshToken | null {
  if (token.length > LIMITS.tokenCharacters) return null
  const [header, body = '', signature = '', ...more] = token.split('.')
  if (header !== HEADER_SEGMENT || more.length > 0) return null
  if (!isSignedBy(refreshSecret, `${header}.${body}`, signature)) return null
  const statement = decodeBase64url(body)
  const claims = statement === null ? null : claimsOf(statement)
  if (statement === null || claims === null) return null
  return { ...claims, sessionId: shortHash(statement) }
}

/** The text that the original hashed into `account_key`. bcrypt reads its first 72 bytes only, there as here. */
export function accountKeyText(claims: LegacyClaims, keys: LegacyKeys): string {
  return `${claims.accountId}${keys.accountKey}${claims.email}`
}

/**
 * Compared as text, without decoding, so that no second spelling passes; as UTF-8, since Latin-1 would map letters of
 * other scripts to ASCII ones.
 */
function isSignedBy(secret: string, input: string, signature: string): boolean {
  const expected = Buffer.from(createHmac('sha256', secret).update(input).digest('base64url'))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/**
 * Null unless the claims have the form that the original wrote. A holder of the secret may have signed anything; that
 * must be refused and not cause a fault.
 */
function claimsOf(statement: Buffer): LegacyClaims | null {
  const { nbf, iat, exp, account } = parsed(statement)
  if (!isTime(nbf) || !isTime(iat) || !isTime(exp)) return null
  if (typeof account !== 'object' || account === null) return null
  const { userId, email, account_key: accountKey } = account as Record<string, unknown>
  if (typeof email !== 'string' || typeof accountKey !== 'string') return null
  // Depending on the database driver, PHP wrote numbers from the database as numbers or as text.
  if (typeof userId !== 'number' && typeof userId !== 'string') return null
  if (!/^[1-9]\d{0,14}$/.test(String(userId))) return null
  return {
    accountId: Number(userId),
    email,
    accountKey,
    notBeforeSeconds: nbf,
    issuedAtSeconds: iat,
    expiresAtSeconds: exp,
  }
}

function parsed(statement: Buffer): Record<string, unknown> {
  try {
    return Object(JSON.parse(statement.toString('utf8'))) as Record<string, unknown>
  } catch {
    return {}
  }
}

function isTime(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LATEST_SECONDS
}
