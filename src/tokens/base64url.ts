/** Base64url without padding (RFC 7515, section 2), in the one canonical spelling. */
export function encodeBase64url(data: string | Uint8Array): string {
  return typeof data === 'string'
    ? Buffer.from(data, 'utf8').toString('base64url')
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url')
}

/** Null unless `text` is exactly what `encodeBase64url` writes: no padding, no spaces, no stray bits. */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
