// @ts-check
/**
 * Decides when a hashing thread may yield, that is, lower its priority further, and when a yielding thread starves.
 * Plain JavaScript, for the reason that `hash-thread.mjs` gives.
 */

/**
 * A thread has plenty if it got more than this share of a core over this much core time (ms). A single hash would not
 * be enough: it may have been lucky.
 */
const PLENTY = 1 / 2
const PLENTY_OF_MS = 100
/**
 * A yielding thread starves if, hash after hash, it got less than this share of a core for this long (ms). A hash takes
 * some 10 ms of a core.
 */
const HARDLY_ANY = 1 / 10
const STARVING_MS = 200

export class HashPace {
  #isYielding = false
  /** Sums since the last look for plenty. While yielding, `#tookMs` is the time since a hash last got its share. */
  #usedMs = 0
  #tookMs = 0

  /**
   * Call it after each hash with the core time that the hash used and the time that it took by the clock. Once it has
   * returned `yield`, the thread is assumed to yield.
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
