/** Encryption of secrets at rest: AES-256-GCM, with a key derived from the master secret by HKDF (RFC 5869). */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface Sealer {
  /** `context` names what is sealed; `open` must be given the same. */
  seal(secret: Uint8Array, context: string): Buffer
  /** @throws {SealError} when the master secret is another one, or the data was tampered with */
  open(sealed: Uint8Array, context: string): Buffer
}

export class SealError extends Error {
  override name = 'SealError'
}

export function createSealer(masterSecret: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', masterSecret, 'duktig', 'sealing of keys, first form', 32))
  return {
    seal(secret, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed, context) {
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const tag = sealed.subarray(sealed.length - TAG_BYTES)
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
        decipher.setAuthTag(tag)
        const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)
        return Buffer.concat([decipher.update(body), decipher.final()])
      } catch (cause) {
        throw new SealError(
          'wrong master secret for the signing keys in the store: set DUKTIG_SECRET or the file `secret` to the one used before',
          { cause },
        )
      }
    },
  }
}
