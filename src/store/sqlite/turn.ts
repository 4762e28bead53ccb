/** How much work one turn of the event loop accepts (docs/decisions/0013). */

/**
 * For this long from its first work, a turn runs each full transaction at once and accepts more. After that it fills
 * one more transaction and refuses the rest, which would wait longest, behind everything that the turn has accepted.
 */
export const TURN_MS = 25
/**
 * The length of a turn after one that refused; each turn without a refusal lengthens the next. Under a lasting overload
 * so many requests arrive during a long turn that the event loop would never finish reading them.
 */
export const SHORT_TURN_MS = 3
export const LONGER_BY_MS = 0.25
/**
 * A turn refuses for this long, then another turn counts as begun. A thousand connections that ask again at once keep
 * the event loop reading: the turn would never end, and the service would do nothing but refuse.
 */
export const REFUSING_MS = 10

/** All times are milliseconds of a monotonic clock. */
export class Turn {
  #lastsMs = TURN_MS
  /** When the turn accepted its first work; null before that. */
  #sinceMs: number | null = null
  /** When the turn first refused; null before that. */
  #refusingSinceMs: number | null = null

  tookWork(nowMs: number): void {
    this.#sinceMs ??= nowMs
  }

  /**
   * Whether a full transaction may run before the turn ends. If not, the caller refuses a request. A turn that has
   * refused for `REFUSING_MS` ends here.
   */
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
