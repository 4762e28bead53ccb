/** Strict compact JWS (RFC 7515, section 7.1), only for tokens that this service mints itself. */
import { LIMITS } from '../settings/limits.ts'
import { encodeBase64url, textFromBase64url } from './base64url.ts'
import type { SigningKey } from './signing-key.ts'

/** A signed token with `payload`, which is JSON text. */
export function signJws(key: SigningKey, payload: string): string {
  const input = `${key.headerSegment}.${encodeBase64url(payload)}`
  return `${input}.${key.sign(input)}`
}

/**
 * The claims of a token that one of `keys` signed; null for everything else.
 * The header is not parsed: it must be exactly the text that one of `keys` writes. So `alg`, `kid`, `jwk`, `jku` and
 * `crit` of a forged token have no effect, whatever they say (RFC 8725, sections 3.1 and 3.10).
 */
export function verifyJws(token: string, keys: readonly SigningKey[]): Record<string, unknown> | null {
  if (token.length > LIMITS.tokenCharacters) return null
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) return null
  // The keys are compared one by one: a map would keep a copy of every text that is looked up in it until the next full
  // garbage collection.
  const header = token.slice(0, first)
  const key = keys.find(({ headerSegment }) => headerSegment === header)
  if (key === undefined || !key.verify(token.slice(0, second), token.slice(second + 1))) return null
  // The signature covers the payload as it is spelled, so its base64url need not be checked.
  return parsed(textFromBase64url(token.slice(first + 1, second)))
}

/** Null if the payload is not JSON: other holders of a shared secret may sign anything. */
function parsed(payload: string): Record<string, unknown> | null {
  try {
    return JSON.parse(payload) as Record<string, unknown>
  } catch {
    return null
  }
}
