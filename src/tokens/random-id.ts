import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
/** Random bytes are drawn for 256 ids at once, with a single call to the kernel. */
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
