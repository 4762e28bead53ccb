/** Password hashes: argon2id for new ones; imported ones may also be bcrypt, or argon2id with other parameters. */
import { availableParallelism } from 'node:os'
import { LIMITS } from '../settings/limits.ts'
import { type HashJob, HashPool } from './hash-pool.ts'
import { WorkQueue } from './work-queue.ts'

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** The algorithm and parameters with which every hash made here begins. */
export const OUR_HASH_PREFIX = `$argon2id$v=19$m=${ARGON2.memoryCost},t=${ARGON2.timeCost},p=${ARGON2.parallelism}$`
/**
 * The last character of the salt holds 2 bits and that of the digest 4. Only characters whose other bits are zero are
 * accepted, as bcrypt writes them: the library compares texts, so no password would match a hash with other bits.
 */
const BCRYPT = /^\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/
const ARGON2ID =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/
/** The most that checking an imported hash may cost (256 MiB, passes, lanes): all sign-ins share memory and cores. */
const MOST_MEMORY_KIB = 262_144
const MOST_PASSES = 10
const MOST_LANES = 16
/** RFC 9106, section 3.1: at least 8 KiB of memory for each lane. */
const LEAST_MEMORY_KIB_A_LANE = 8
/** bcrypt reads only this many bytes of a password. */
const BCRYPT_BYTES = 72

type HashQueue = WorkQueue<HashJob, unknown>
/** The queue itself, a place reserved in it for one hash, or its share for one account. */
export type HashPlace = Pick<HashQueue, 'run'>

export interface Passwords {
  /** Hashes with argon2id. @throws {Overloaded} */
  hash(password: string, place?: HashPlace): Promise<string>
  /** @throws {Overloaded} */
  verify(hash: string, password: string, place?: HashPlace): Promise<boolean>
  /** For metrics, and for callers that ask whether there is room or reserve a place. */
  readonly queue: HashQueue
}

export function createPasswords(concurrency = availableParallelism()): Passwords {
  const pool = new HashPool()
  const limits = {
    concurrency,
    together: LIMITS.hashesTogether,
    joins: ({ isLong }: HashJob) => !isLong,
    waiting: LIMITS.hashesWaiting,
    ofOne: LIMITS.hashesOfOneAccount,
    waitMs: LIMITS.hashWaitMs,
  }
  const queue: HashQueue = new WorkQueue(limits, (jobs) => pool.run(jobs))
  return {
    queue,
    async hash(password, place = queue) {
      const job = { kind: 'hash', password: normalised(password), parameters: ARGON2, isLong: false } as const
      return (await place.run(job)) as string
    },
    async verify(hash, password, place = queue) {
      const job = verification(hash, password)
      return job !== null && ((await place.run(job)) as boolean)
    },
  }
}

/** Whether a hash to be imported is of a form that can be checked here. */
export function isKnownHash(hash: string): boolean {
  return BCRYPT.test(hash) || isArgon2id(hash)
}

/** Whether a hash should be replaced at the next sign-in: its algorithm or parameters are not those of new hashes. */
export function isOutdatedHash(hash: string): boolean {
  return !hash.startsWith(OUR_HASH_PREFIX)
}

/**
 * Whether a match with `hash` proves the whole password. bcrypt reads 72 bytes: if the given password has as many or
 * more, the hashed one may go on differently after them.
 */
export function provesWhole(hash: string, password: string): boolean {
  if (!BCRYPT.test(hash)) return true
  return spellingsOf(hash, password).every((spelling) => Buffer.byteLength(spelling) < BCRYPT_BYTES)
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

/** Whether a text is canonical base64. A hash that was cut short, as by a column that is too narrow, often is not. */
function isWholeBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64').replace(/=+$/, '') === text
}

/** The job that checks a password; null if `hash` is of no form that can be checked. */
function verification(hash: string, password: string): HashJob | null {
  const job = { spellings: spellingsOf(hash, password), isLong: isOutdatedHash(hash) }
  if (isArgon2id(hash)) return { kind: 'verify-argon2', hash, ...job }
  if (BCRYPT.test(hash)) return { kind: 'verify-bcrypt', hash: hash.replace(/^\$2y\$/, '$2b$'), ...job }
  return null
}

/**
 * The texts of a password that a hash may be of. Other programs hash a password as it was typed. A hash with our
 * parameters counts as ours, lest anybody doubles the cost of a sign-in by the way a password is spelled.
 */
function spellingsOf(hash: string, password: string): readonly string[] {
  return isOutdatedHash(hash) ? [...new Set([normalised(password), password])] : [normalised(password)]
}

/** One spelling for each password (NIST SP 800-63B, 3.1.1.2): composed and decomposed letters count as the same. */
function normalised(password: string): string {
  return password.normalize('NFC')
}
