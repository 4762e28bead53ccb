/**
 * Decoy hashes: the password for an unknown e-mail address is checked against one, so that the time of the answer does
 * not tell that the address is unknown. Decoys are of the kinds of hashes that the accounts have, in the same mixture,
 * and an address gets the same kind each time.
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { OUR_HASH_PREFIX } from './passwords.ts'

/** 22 characters for the 16 bytes of salt, 31 for the 23 bytes of hash; the last of each must have no stray bits. */
const BCRYPT_TAIL_CHARACTERS = 53
const ARGON2_SALT_BYTES = 16
const ARGON2_HASH_BYTES = 32

export interface Decoys {
  /** The hash to check in place of an account's, for an address that no account has. */
  hashFor(emailKey: string): string
  /** Adopts the mixture of kinds in a sample of the accounts' hashes. */
  learn(sample: readonly string[]): void
}

/** `masterSecret` is the same on all instances, so that an address gets the same kind of decoy on each. */
export function createDecoys(masterSecret: string): Decoys {
  const key = Buffer.from(hkdfSync('sha256', masterSecret, 'duktig', 'decoys for unknown addresses', 32))
  const decoys = new Map<string, string>()
  let kinds: readonly string[] = [OUR_HASH_PREFIX]
  return {
    learn(sample) {
      // Sorted, so that a slightly different sample changes the kind for only a few addresses.
      if (sample.length > 0) kinds = sample.map(kindOf).sort()
    },
    hashFor(emailKey) {
      const place = createHmac('sha256', key).update(emailKey).digest().readUInt32BE(0) / 2 ** 32
      const kind = kinds[Math.floor(place * kinds.length)] ?? OUR_HASH_PREFIX
      let decoy = decoys.get(kind)
      if (decoy === undefined) {
        decoy = nobodysHash(kind)
        decoys.set(kind, decoy)
      }
      return decoy
    },
  }
}

/** The part of a hash that decides how long its check takes: everything before the salt (algorithm and parameters). */
function kindOf(hash: string): string {
  return hash.startsWith('$argon2') ? hash.split('$').slice(0, 4).join('$').concat('$') : hash.slice(0, 7)
}

/**
 * A hash that matches no password and takes as long to check as one of its kind, which is ours by default. It is not
 * computed from a password, so that nobody waits for a hash.
 */
export function nobodysHash(kind = OUR_HASH_PREFIX): string {
  if (kind.startsWith('$2')) return kind + 'abcdefghijklmnopqrstuO'.padEnd(BCRYPT_TAIL_CHARACTERS, 'u')
  return `${kind}${unpadded(ARGON2_SALT_BYTES)}$${unpadded(ARGON2_HASH_BYTES)}`
}

function unpadded(bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '')
}
