/**
 * What an unknown e-mail address is checked against: a hash that nobody has, of the kind that accounts here have. Where
 * hashes of several kinds live side by side, their mixture is followed, each address always getting the same kind.
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { OUR_HASH_PREFIX } from './passwords.ts'

/** The salt of 16 bytes in 22 characters, the hash of 23 in 31; the last of each must have no stray bits. */
const BCRYPT_TAIL_CHARACTERS = 53
const ARGON2_SALT_BYTES = 16
const ARGON2_HASH_BYTES = 32

export interface Decoys {
  /** The hash to check in place of one, for an address that nobody has. */
  hashFor(emailKey: string): string
  /** Takes over how hashes are mixed now, from a sample of them. */
  learn(sample: readonly string[]): void
}

/** `masterSecret` is the same on all instances, so that an address has one kind on all of them. */
export function createDecoys(masterSecret: string): Decoys {
  const key = Buffer.from(hkdfSync('sha256', masterSecret, 'duktig', 'decoys for unknown addresses', 32))
  const decoys = new Map<string, string>()
  let kinds: readonly string[] = [OUR_HASH_PREFIX]
  return {
    learn(sample) {
      // Sorted, so that a slightly different sample changes the kind of a few addresses only.
      if (sample.length > 0) kinds = sample.map(kindOf).sort()
    },
    hashFor(emailKey) {
      const place = createHmac('sha256', key).update(emailKey).digest().readUInt32BE(0) / 2 ** 32
      const kind = kinds[Math.floor(place * kinds.length)] ?? OUR_HASH_PREFIX
      let decoy = decoys.get(kind)
      if (decoy === undefined) {
        decoy = decoyOf(kind)
        decoys.set(kind, decoy)
      }
      return decoy
    },
  }
}

/** What decides how long a hash takes: algorithm and parameters, everything before the salt. */
function kindOf(hash: string): string {
  return hash.startsWith('$argon2') ? hash.split('$').slice(0, 4).join('$').concat('$') : hash.slice(0, 7)
}

/** Never computed from a password, so that the start does not wait for it, and none matches. */
function decoyOf(kind: string): string {
  if (kind.startsWith('$2')) return kind + 'abcdefghijklmnopqrstuO'.padEnd(BCRYPT_TAIL_CHARACTERS, 'u')
  return `${kind}${unpadded(ARGON2_SALT_BYTES)}$${unpadded(ARGON2_HASH_BYTES)}`
}

function unpadded(bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '')
}
