import { type Leap, Leaps } from '../../core/leaps.ts'
import { machineSleptMs } from '../machine-slept.ts'
import type { Clock } from '../store.ts'

/** One reading of the database's clock: when it was requested, what it said, and when the answer came. */
export interface ClockReading {
  readonly sentMs: number
  readonly databaseMs: number
  readonly receivedMs: number
}

/** While the database is behind, our clock runs at half its speed until both agree. */
const SLOWED = 0.5
/** Two hours, as from a wrong time zone. A time further ahead may be a mistake of long ago and is ignored. */
const MOST_AHEAD_MS = 7_200_000

/**
 * The database's clock, kept as an offset to the monotonic clock of this process, so that all instances agree on the
 * time whatever their own clocks say. It follows the database forward at once. When the database's clock is set back,
 * this clock does not step back but slows down until both agree again.
 */
export class DatabaseClock implements Clock {
  readonly #monotonicMs: () => number
  /** Added to the monotonic clock, it gives the database's time; null before the first reading. */
  #offsetMs: number | null = null
  /** How far this clock was ahead of the database's at `#aheadSinceMs`. */
  #aheadMs = 0
  #aheadSinceMs = 0
  #lastMs = 0
  readonly #sleptMs: () => number
  readonly #leaps: Leaps

  constructor(monotonicMs: () => number = () => performance.now(), sleptMs: () => number = machineSleptMs) {
    this.#monotonicMs = monotonicMs
    this.#sleptMs = sleptMs
    this.#leaps = new Leaps(sleptMs())
  }

  monotonicMs(): number {
    return this.#monotonicMs()
  }

  nowMs(): number {
    const monotonicMs = this.#monotonicMs()
    const nowMs = Math.floor(monotonicMs + this.#offset() + this.#ahead(monotonicMs))
    if (nowMs > this.#lastMs) this.#lastMs = nowMs
    return this.#lastMs
  }

  leaps(): readonly Leap[] {
    return this.#leaps.latest
  }

  /** Converts a time of this clock to the database's clock, for conditions that the database checks itself. */
  inDatabaseMs(timeMs: number): number {
    const monotonicMs = this.#monotonicMs()
    return timeMs - this.#ahead(monotonicMs)
  }

  /**
   * Sets the clock by readings. The database read its clock between sending and receiving, so each reading bounds the
   * true offset: an estimate outside these bounds moves to the nearer one, and an estimate within them stays.
   */
  learn(readings: readonly ClockReading[]): void {
    for (const { sentMs, databaseMs, receivedMs } of readings.toSorted(byRoundTrip)) {
      const before = this.#offsetMs
      if (before === null) {
        this.#offsetMs = databaseMs - (sentMs + receivedMs) / 2
        continue
      }
      const after = Math.min(Math.max(before, databaseMs - receivedMs), databaseMs - sentMs)
      const fromMs = this.nowMs()
      const monotonicMs = this.#monotonicMs()
      // When the database's clock was set back, this clock is ahead by that much more; when it went forward, by less.
      this.#aheadMs = Math.max(0, this.#ahead(monotonicMs) + before - after)
      this.#aheadSinceMs = monotonicMs
      this.#offsetMs = after
      this.#leaps.add(fromMs, this.nowMs(), this.#sleptMs())
    }
  }

  /**
   * Moves this clock forward to `seenMs`, which some instance's clock has reached, and never further. While the other
   * instances wait for a database whose clock was set back, one that starts must wait with them: otherwise they would
   * disagree about ages, and a retry would count as reuse. When `isRunning`, this is a step like any other, which the
   * other instances have read from the database before this one.
   */
  catchUp(seenMs: number, { isRunning = false }: { readonly isRunning?: boolean } = {}): void {
    const fromMs = this.nowMs()
    const monotonicMs = this.#monotonicMs()
    const aheadMs = seenMs - (monotonicMs + this.#offset())
    if (aheadMs <= this.#ahead(monotonicMs) || aheadMs > MOST_AHEAD_MS) return
    this.#aheadMs = aheadMs
    this.#aheadSinceMs = monotonicMs
    if (isRunning) this.#leaps.add(fromMs, this.nowMs(), this.#sleptMs())
  }

  #ahead(monotonicMs: number): number {
    if (this.#aheadMs === 0) return 0
    return Math.max(0, this.#aheadMs - (monotonicMs - this.#aheadSinceMs) * SLOWED)
  }

  #offset(): number {
    if (this.#offsetMs === null) throw new Error('the clock of the database has not been read yet')
    return this.#offsetMs
  }
}

/** Sorts the quickest round trip first: it bounds the offset most tightly. */
function byRoundTrip(a: ClockReading, b: ClockReading): number {
  return a.receivedMs - a.sentMs - (b.receivedMs - b.sentMs)
}
