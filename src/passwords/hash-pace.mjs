// @ts-check
/** Whether a thread that hashes may step back further, or has stepped back too far. Plain JavaScript, as `hash-thread.mjs` is. */

/** With more than this part of a core, for so much of its time, there is plenty; a single hash may have had luck. */
const PLENTY = 1 / 2
const PLENTY_OF_MS = 100
/** With less than this part, hash after hash for so long, a thread starves. A hash takes some 10 ms of a core. */
const HARDLY_ANY = 1 / 10
const STARVING_MS = 200

export class HashPace {
  #isYielding = false
  /** Since it was last asked whether there is plenty; or since a hash that yields last had its part. */
  #usedMs = 0
  #tookMs = 0

  /**
   * Told of each hash: the time of a core that it used, and its time by the clock. From `yield` on the thread is thought to yield.
   * @param {number} usedMs
   * @param {number} tookMs
   * @returns {'stay' | 'yield' | 'starving'}
   */
  after(usedMs, tookMs) {
    return this.#isYielding ? this.#whileYielding(usedMs, tookMs) : this.#atFirst(usedMs, tookMs)
  }

  /**
   * @param {number} usedMs
   * @param {number} tookMs
   */
  #atFirst(usedMs, tookMs) {
    this.#usedMs += usedMs
    this.#tookMs += tookMs
    if (this.#usedMs < PLENTY_OF_MS) return 'stay'
    this.#isYielding = this.#usedMs > PLENTY * this.#tookMs
    this.#usedMs = 0
    this.#tookMs = 0
    return this.#isYielding ? 'yield' : 'stay'
  }

  /**
   * @param {number} usedMs
   * @param {number} tookMs
   */
  #whileYielding(usedMs, tookMs) {
    this.#tookMs = usedMs < HARDLY_ANY * tookMs ? this.#tookMs + tookMs : 0
    return this.#tookMs > STARVING_MS ? 'starving' : 'stay'
  }
}
