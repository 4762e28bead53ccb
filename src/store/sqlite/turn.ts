/** How much one turn of the event loop takes in (docs/decisions/0013). */

/**
 * For so long from its first work a turn runs each full transaction at once and takes in more. After that it fills one more
 * and refuses the rest: they would wait longest, behind everything that the turn has taken.
 */
export const TURN_MS = 25
/**
 * The length of a turn after one that refused; each turn without a refusal lengthens the next. Under a lasting overload
 * so many requests arrive during a long turn that the event loop would never finish reading them.
 */
export const SHORT_TURN_MS = 3
export const LONGER_BY_MS = 0.25
/**
 * So long a turn refuses, then another one counts as begun. A thousand connections that ask again at once keep the event loop
 * reading: the turn would never end, and refusing would be all that is done.
 */
export const REFUSING_MS = 10

/** Times in milliseconds, of a clock that goes on evenly. */
export class Turn {
  #lastsMs = TURN_MS
  /** When it took its first work in; null before that. */
  #sinceMs: number | null = null
  /** When it first refused; null before that. */
  #refusingSinceMs: number | null = null

  tookWork(nowMs: number): void {
    this.#sinceMs ??= nowMs
  }

  /** Whether a full transaction may run before it ends. If not, somebody is refused; once it has refused long enough, it ends here. */
  leavesTime(nowMs: number): boolean {
    if (nowMs - (this.#sinceMs ?? nowMs) < this.#lastsMs) return true
    this.#refusingSinceMs ??= nowMs
    if (nowMs - this.#refusingSinceMs < REFUSING_MS) return false
    this.end()
    return true
  }

  end(): void {
    this.#lastsMs =
      this.#refusingSinceMs === null ? Math.min(TURN_MS, this.#lastsMs + LONGER_BY_MS) : SHORT_TURN_MS
    this.#sinceMs = null
    this.#refusingSinceMs = null
  }
}
