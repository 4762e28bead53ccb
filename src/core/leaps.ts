/** A step forward of the clock: what it showed after it, and by how much more than had passed it went on. */
export interface Leap {
  readonly toMs: number
  readonly byMs: number
}

/** What is older than so many steps was handed out long ago. */
const KEPT = 10
/** A smaller one may be the way of a reading, and makes nothing old. */
const LEAST_MS = 1000

/** The latest steps forward of a clock. */
export class Leaps {
  #latest: readonly Leap[] = []
  #sleptMs: number

  /** `sleptMs`: for how long the machine has slept so far, from any beginning. */
  constructor(sleptMs: number) {
    this.#sleptMs = sleptMs
  }

  /** Oldest first. */
  get latest(): readonly Leap[] {
    return this.#latest
  }

  /** The clock went from one time to another at once. What the machine has slept meanwhile has really passed. */
  add(fromMs: number, toMs: number, sleptMs: number): void {
    const byMs = toMs - fromMs - Math.max(0, sleptMs - this.#sleptMs)
    this.#sleptMs = sleptMs
    if (byMs >= LEAST_MS) this.#latest = [...this.#latest, { toMs, byMs }].slice(-KEPT)
  }
}
