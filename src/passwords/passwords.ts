/** Password hashes: argon2id of our own, bcrypt of others, and the check that takes the time of a real one. */
import { availableParallelism } from 'node:os'
import { LIMITS } from '../settings/limits.ts'
import { type HashJob, HashPool } from './hash-pool.ts'
import { WorkQueue } from './work-queue.ts'

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** How every hash of ours begins: algorithm and parameters. */
export const OUR_HASH_PREFIX = `$argon2id$v=19$m=${ARGON2.memoryCost},t=${ARGON2.timeCost},p=${ARGON2.parallelism}$`
/**
 * The last characters of salt and digest hold 2 and 4 bits; what else they say no bcrypt makes. The library compares the text, so that
 * a hash with more in them verifies with no password.
 */
const BCRYPT = /^\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/
const ARGON2ID =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/
/** What a hash from elsewhere may ask of us, or a sign-in would take memory and time of all: 256 MiB, passes and lanes. */
const MOST_MEMORY_KIB = 262_144
const MOST_PASSES = 10
const MOST_LANES = 16
/** RFC 9106, section 3.1. */
const LEAST_MEMORY_KIB_A_LANE = 8
/** What bcrypt looks at of a password. */
const BCRYPT_BYTES = 72

type HashQueue = WorkQueue<HashJob, unknown>
/** The queue, or what it has kept for one hash. */
export type HashPlace = Pick<HashQueue, 'run'>

export interface Passwords {
  /** Hashes with argon2id. @throws {Overloaded} */
  hash(password: string, place?: HashPlace): Promise<string>
  /** @throws {Overloaded} */
  verify(hash: string, password: string, place?: HashPlace): Promise<boolean>
  /** For metrics, and for who asks whether there is room, or keeps some. */
  readonly queue: HashQueue
}

export function createPasswords(concurrency = availableParallelism()): Passwords {
  const pool = new HashPool()
  const limits = {
    concurrency,
    together: LIMITS.hashesTogether,
    joins: isShort,
    waiting: LIMITS.hashesWaiting,
    ofOne: LIMITS.hashesOfOneAccount,
    waitMs: LIMITS.hashWaitMs,
  }
  const queue: HashQueue = new WorkQueue(limits, (jobs) => pool.run(jobs))
  return {
    queue,
    async hash(password, place = queue) {
      return (await place.run({ kind: 'hash', password: normalised(password), parameters: ARGON2 })) as string
    },
    async verify(hash, password, place = queue) {
      const job = verification(hash, password)
      return job !== null && ((await place.run(job)) as boolean)
    },
  }
}

/** Whether a hash from elsewhere is one that we can check. */
export function isKnownHash(hash: string): boolean {
  return BCRYPT.test(hash) || isArgon2id(hash)
}

/** Whether a hash should be replaced at the next sign-in: another algorithm, or other parameters. */
export function isOutdatedHash(hash: string): boolean {
  return !hash.startsWith(OUR_HASH_PREFIX)
}

/**
 * Whether the yes of `hash` to a password means that it is the whole one. Of what is as long as bcrypt reads, or longer, it says
 * nothing about the rest: what was hashed may have been longer, too.
 */
export function provesWhole(hash: string, password: string): boolean {
  return !BCRYPT.test(hash) || Buffer.byteLength(password) < BCRYPT_BYTES
}

function isShort(job: HashJob): boolean {
  return job.kind === 'hash' || !job.isLong
}

function isArgon2id(hash: string): boolean {
  const [, memory, passes, lanes, salt = '', digest = ''] = ARGON2ID.exec(hash) ?? []
  return (
    Number(memory) <= MOST_MEMORY_KIB &&
    Number(passes) <= MOST_PASSES &&
    Number(lanes) <= MOST_LANES &&
    Number(memory) >= LEAST_MEMORY_KIB_A_LANE * Number(lanes) &&
    isWholeBase64(salt) &&
    isWholeBase64(digest)
  )
}

/** A text that was cut short, as by a column that is too narrow, is none. */
function isWholeBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64').replace(/=+$/, '') === text
}

/** Null for what is no hash that we can check. */
function verification(hash: string, password: string): HashJob | null {
  const isLong = isOutdatedHash(hash)
  if (isArgon2id(hash)) return { kind: 'verify-argon2', hash, password: normalised(password), isLong }
  // Other programs hashed what was typed, without normalising it.
  if (BCRYPT.test(hash))
    return { kind: 'verify-bcrypt', hash: hash.replace(/^\$2y\$/, '$2b$'), password, isLong }
  return null
}

/** One password, one spelling (NIST SP 800-63B, 3.1.1.2): composed and decomposed letters are the same. */
function normalised(password: string): string {
  return password.normalize('NFC')
}
