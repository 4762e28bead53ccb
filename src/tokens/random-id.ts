import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
/** Randomness is drawn for many ids at once: one call to the kernel for 256 of them. */
const pool = Buffer.alloc(256 * ID_BYTES)
let used = pool.length

/** 128 random bits in base64url, 22 characters: for sessions, token ids and keys. */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.toString('base64url', used - ID_BYTES, used)
}
