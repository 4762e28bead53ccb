/**
 * How many wrong passwords an account and an address may see. Pure: the store keeps the counters and asks here, and an
 * attempt is counted before its password is looked at, so that a thousand guesses at once are a thousand guesses.
 *
 * Failures of an account are counted by where they come from: a device that proves it signed in before, an address that
 * signed in before, a stranger. So a stranger's guesses never lock the owner out, and all together stay within the 100
 * consecutive failures of NIST SP 800-63B, section 3.2.2. A successful sign-in starts the count anew.
 */

export type Source = 'device' | 'address' | 'stranger'

/** Consecutive failures of one account, from one kind of source. */
export interface Guard {
  readonly failures: number
  readonly blockedUntilMs: number
}

/** A leaky bucket: how full it was at a time. */
export interface Bucket {
  readonly level: number
  readonly atMs: number
}

export interface BucketSize {
  readonly capacity: number
  /** The time in which one drop leaks out. */
  readonly leakMs: number
}

/** All failures together: 100. */
export const FAILURES: Readonly<Record<Source, number>> = { device: 10, address: 10, stranger: 80 }

/** Failed sign-ins of one address, against any account: spraying one guess over many accounts is guessing too. */
export const SIGN_IN_BUCKET: BucketSize = { capacity: 100, leakMs: 6_000 }
/** Passwords of one account that are compared with its present one where that may stay. */
export const PRESENT_PASSWORD_BUCKET: BucketSize = { capacity: 10, leakMs: 600_000 }
export const REGISTRATION_BUCKET: BucketSize = { capacity: 20, leakMs: 60_000 }

/** Typing errors cost nothing at first; then every failure doubles the wait. */
const FREE_FAILURES = 4
const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 900_000

export type Admission =
  | { readonly admitted: true; readonly source: Source; readonly guard: Guard }
  | { readonly admitted: false; readonly retryAfterMs: number }

/** The first of the caller's sources, best first, that may still try; with its guard as it is then. */
export function admitAttempt(
  guards: ReadonlyArray<readonly [Source, Guard | null]>,
  nowMs: number,
): Admission {
  let retryAfterMs = LONGEST_DELAY_MS
  for (const [source, guard] of guards) {
    const failures = guard?.failures ?? 0
    if (failures >= FAILURES[source]) continue
    const waitMs = (guard?.blockedUntilMs ?? 0) - nowMs
    // Much longer than any that is set: the clock was set back since. Instances may differ by some milliseconds.
    if (waitMs <= 0 || waitMs > 2 * LONGEST_DELAY_MS) {
      const next = { failures: failures + 1, blockedUntilMs: nowMs + delayMs(failures + 1) }
      return { admitted: true, source, guard: next }
    }
    retryAfterMs = Math.min(retryAfterMs, waitMs)
  }
  return { admitted: false, retryAfterMs }
}

/** The bucket with one drop more, or how long until there is room for it. */
export function fill(
  bucket: Bucket | null,
  size: BucketSize,
  nowMs: number,
): { readonly bucket: Bucket } | { readonly retryAfterMs: number } {
  // One of the future leaks as well: if the clock was set back, it would stay full for as long.
  const leaked = bucket === null ? 0 : Math.abs(nowMs - bucket.atMs) / size.leakMs
  const level = bucket === null ? 0 : Math.max(0, bucket.level - leaked)
  if (level + 1 > size.capacity) return { retryAfterMs: Math.ceil((level + 1 - size.capacity) * size.leakMs) }
  return { bucket: { level: level + 1, atMs: nowMs } }
}

function delayMs(failures: number): number {
  if (failures <= FREE_FAILURES) return 0
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES - 1))
}
