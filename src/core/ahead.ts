/** While it is ahead of the one that it follows, a clock runs at half its speed until both agree. */
const SLOWED = 0.5
/** Two hours, as by a time zone taken wrongly. Whatever is further ahead may be a mistake of long ago. */
const MOST_MS = 7_200_000

/**
 * How far a clock is ahead of the one that it follows, because that was set back: it must not step back itself, or what has ended
 * would be accepted again and a token of long ago would count as young. All times are in milliseconds.
 */
export class Ahead {
  #byMs = 0
  #sinceMs = 0

  /** What is left of it at a time of the monotonic clock. */
  at(monotonicMs: number): number {
    if (this.#byMs === 0) return 0
    return Math.max(0, this.#byMs - (monotonicMs - this.#sinceMs) * SLOWED)
  }

  /** From now on it is ahead by so much, or by nothing. */
  set(byMs: number, monotonicMs: number): void {
    this.#byMs = Math.max(0, byMs)
    this.#sinceMs = monotonicMs
  }

  /** Goes as far ahead as a service before has been. Whether there was anything to go. */
  catchUp(byMs: number, monotonicMs: number): boolean {
    if (byMs <= this.at(monotonicMs) || byMs > MOST_MS) return false
    this.set(byMs, monotonicMs)
    return true
  }
}
