/** A step forward of the clock: the time shown after it, and how far the step went beyond the time really passed. */
export interface Leap {
  readonly toMs: number
  readonly byMs: number
}

/** A token handed out before that many steps was handed out long ago, so older steps are dropped. */
const KEPT = 10
/** Smaller steps may come from the latency of reading the database's clock, and make no token noticeably older. */
const LEAST_MS = 1000

/** The latest steps forward of a clock. */
export class Leaps {
  #latest: readonly Leap[] = []
  #sleptMs: number

  /** `sleptMs`: how long the machine has slept so far, counted from any fixed point. */
  constructor(sleptMs: number) {
    this.#sleptMs = sleptMs
  }

  /** Oldest first. */
  get latest(): readonly Leap[] {
    return this.#latest
  }

  /** Records that the clock went from one time to another at once. Time that the machine slept has really passed. */
  add(fromMs: number, toMs: number, sleptMs: number): void {
    const byMs = toMs - fromMs - Math.max(0, sleptMs - this.#sleptMs)
    this.#sleptMs = sleptMs
    if (byMs >= LEAST_MS) this.#latest = [...this.#latest, { toMs, byMs }].slice(-KEPT)
  }
}
