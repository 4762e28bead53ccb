import type { KeyPurpose } from '../store/store.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'

/** The header that a signing key writes; its `kid` is made by `randomId`. */
const HEADER = /^\{"typ":"JWT","cty":"JWT","alg":"(HS256|ES256|EdDSA|RS256)","kid":"([\w-]{22})"\}$/
/** The same for all keys, since the names of all algorithms are equally long. */
const HEADER_CHARACTERS = encodeBase64url(
  JSON.stringify({ typ: 'JWT', cty: 'JWT', alg: 'HS256', kid: '_'.repeat(22) }),
).length

/**
 * The `kid` in the header of a token, if the header is spelled exactly as a key of this purpose writes it, on this
 * instance or on one with another algorithm; null for everything else. Says nothing about whether the token is genuine,
 * and takes no part in verifying it.
 */
export function namedKid(token: string, purpose: KeyPurpose): string | null {
  if (token[HEADER_CHARACTERS] !== '.') return null
  const header = decodeBase64url(token.slice(0, HEADER_CHARACTERS))
  const [, algorithm, kid] = HEADER.exec(header?.toString('latin1') ?? '') ?? []
  if (kid === undefined || (algorithm !== 'HS256' && purpose !== 'access')) return null
  return kid
}
