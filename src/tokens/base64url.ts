/** Base64url without padding (RFC 7515, section 2), in the one canonical spelling. */
import { LIMITS } from '../settings/limits.ts'

// Tokens are coded in one place: buffers for each would be memory outside the heap, and much of that makes a full garbage
// collection due.
// A character has three bytes at most.
const scratch = Buffer.alloc(3 * LIMITS.tokenCharacters)

export function encodeBase64url(data: string | Uint8Array): string {
  if (typeof data !== 'string')
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url')
  if (data.length > LIMITS.tokenCharacters) return Buffer.from(data).toString('base64url')
  return scratch.toString('base64url', 0, scratch.write(data))
}

/** The text that is encoded. For what we wrote ourselves, of `LIMITS.tokenCharacters` at most: nothing is checked. */
export function textFromBase64url(encoded: string): string {
  return scratch.toString('utf8', 0, scratch.write(encoded, 'base64url'))
}

/** Null unless `text` is exactly what `encodeBase64url` writes: no padding, no spaces, no stray bits. */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
