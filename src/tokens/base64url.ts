/** Base64url without padding (RFC 7515, section 2), always in the canonical spelling. */
import { LIMITS } from '../settings/limits.ts'

// All tokens share this buffer. A buffer for each would take memory outside the heap, and enough of that triggers a
// full garbage collection. A character of a string takes at most three bytes of UTF-8.
const scratch = Buffer.alloc(3 * LIMITS.tokenCharacters)

export function encodeBase64url(data: string | Uint8Array): string {
  if (typeof data !== 'string')
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url')
  if (data.length > LIMITS.tokenCharacters) return Buffer.from(data).toString('base64url')
  return scratch.toString('base64url', 0, scratch.write(data))
}

/** Decodes without any check: only for text whose origin is verified, of at most `LIMITS.tokenCharacters`. */
export function textFromBase64url(encoded: string): string {
  return scratch.toString('utf8', 0, scratch.write(encoded, 'base64url'))
}

/** Null unless `text` is spelled exactly as `encodeBase64url` writes it: no padding, no spaces, no stray bits. */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
