/** Base64url without padding (RFC 7515, section 2), in the one canonical spelling. */
import { LIMITS } from '../settings/limits.ts'

/**
 * Where tokens are coded. A buffer for each would be memory outside the heap, and the garbage collector would have to look
 * through everything some times a second to give it back.
 */
const scratch = Buffer.alloc(3 * LIMITS.tokenCharacters)

export function encodeBase64url(data: string | Uint8Array): string {
  if (typeof data !== 'string')
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url')
  // A character has three bytes at most.
  if (data.length > LIMITS.tokenCharacters) return Buffer.from(data).toString('base64url')
  return scratch.toString('base64url', 0, scratch.write(data))
}

/** The text behind `text`, which is known to be in the canonical spelling: of `LIMITS.tokenCharacters` at most. */
export function textFromBase64url(text: string): string {
  return scratch.toString('utf8', 0, scratch.write(text, 'base64url'))
}

/** Null unless `text` is exactly what `encodeBase64url` writes: no padding, no spaces, no stray bits. */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
