/**
 * The limits on wrong passwords, for an account and for an address. The store keeps the counters and asks these pure
 * functions. An attempt is counted before its password is checked, so that a thousand parallel guesses count as a
 * thousand.
 *
 * The failures of an account are counted by their source: a device that proves an earlier sign-in, an address that
 * signed in before, or a stranger. A stranger's guesses therefore never lock the owner out, and all sources together
 * stay within the 100 consecutive failures of NIST SP 800-63B, section 3.2.2. A successful sign-in resets the counts.
 */

export type Source = 'device' | 'address' | 'stranger'

/** The consecutive failures of one account from one source. */
export interface Guard {
  readonly failures: number
  readonly blockedUntilMs: number
}

/** A leaky bucket: its level at a time. */
export interface Bucket {
  readonly level: number
  readonly atMs: number
}

export interface BucketSize {
  readonly capacity: number
  /** The time in which one drop leaks out. */
  readonly leakMs: number
}

/** The limit of consecutive failures for each source; 100 in total. */
export const FAILURES: Readonly<Record<Source, number>> = { device: 10, address: 10, stranger: 80 }
export const SOURCES = Object.keys(FAILURES) as readonly Source[]

/** Failed sign-ins from one address, to any account: an attacker may also spray one guess over many accounts. */
export const SIGN_IN_BUCKET: BucketSize = { capacity: 100, leakMs: 6_000 }
/** Per account: comparisons of a password that the policy refuses with the present one, which the account may keep. */
export const PRESENT_PASSWORD_BUCKET: BucketSize = { capacity: 10, leakMs: 600_000 }
export const REGISTRATION_BUCKET: BucketSize = { capacity: 20, leakMs: 60_000 }

/** The first failures may be typing errors and cause no wait. After them, each failure doubles the wait. */
const FREE_FAILURES = 4
const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 900_000

export type Admission =
  | { readonly admitted: true; readonly source: Source; readonly guard: Guard }
  | { readonly admitted: false; readonly retryAfterMs: number }

/**
 * Admits an attempt under the first of the caller's sources (best first) that may still try, and returns the guard of
 * that source with the attempt counted.
 */
export function admitAttempt(
  guards: ReadonlyArray<readonly [Source, Guard | null]>,
  nowMs: number,
): Admission {
  let retryAfterMs = LONGEST_DELAY_MS
  for (const [source, guard] of guards) {
    const failures = guard?.failures ?? 0
    if (failures >= FAILURES[source]) continue
    const waitMs = (guard?.blockedUntilMs ?? 0) - nowMs
    // A wait far beyond the longest delay means that the clock was set back since. The factor allows for the clocks of
    // instances, which may differ by some milliseconds.
    if (waitMs <= 0 || waitMs > 2 * LONGEST_DELAY_MS) {
      const next = { failures: failures + 1, blockedUntilMs: nowMs + delayMs(failures + 1) }
      return { admitted: true, source, guard: next }
    }
    retryAfterMs = Math.min(retryAfterMs, waitMs)
  }
  return { admitted: false, retryAfterMs }
}

/** The bucket with one more drop, or the time until it has room for the drop. */
export function fill(
  bucket: Bucket | null,
  size: BucketSize,
  nowMs: number,
): { readonly bucket: Bucket } | { readonly retryAfterMs: number } {
  // A bucket dated in the future leaks too. Otherwise, after the clock was set back, it would stay full for as long.
  const leaked = bucket === null ? 0 : Math.abs(nowMs - bucket.atMs) / size.leakMs
  const level = bucket === null ? 0 : Math.max(0, bucket.level - leaked)
  if (level + 1 > size.capacity) return { retryAfterMs: Math.ceil((level + 1 - size.capacity) * size.leakMs) }
  return { bucket: { level: level + 1, atMs: nowMs } }
}

function delayMs(failures: number): number {
  if (failures <= FREE_FAILURES) return 0
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES - 1))
}
