import { type Leap, Leaps } from '../../core/leaps.ts'
import { machineSleptMs } from '../machine-slept.ts'
import type { Clock } from '../store.ts'

/** One reading of the database's clock: when it was asked for, what it said, when the answer came. */
export interface ClockReading {
  readonly sentMs: number
  readonly databaseMs: number
  readonly receivedMs: number
}

/** While the database is behind, our clock runs at half its speed until both agree. */
const SLOWED = 0.5
/** Two hours, as by a time zone taken wrongly. Whatever is further ahead may be a mistake of long ago. */
const MOST_AHEAD_MS = 7_200_000

/**
 * The database's clock, kept as an offset to the monotonic clock of this process, so that all instances agree about
 * time whatever their own clocks say. It follows the database forward at once; when the database's clock was set
 * back, it never steps back itself but slows down until both agree again.
 */
export class DatabaseClock implements Clock {
  readonly #monotonicMs: () => number
  /** To be added to the monotonic clock to get the database's; null before the first reading. */
  #offsetMs: number | null = null
  /** How far we were ahead of the database at `#aheadSinceMs`. */
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

  /** A time of this clock as the database's clock will show it, for conditions that the database checks itself. */
  inDatabaseMs(timeMs: number): number {
    const monotonicMs = this.#monotonicMs()
    return timeMs - this.#ahead(monotonicMs)
  }

  /**
   * Sets the clock by readings. The database read its clock between sending and receiving, so each reading gives an
   * interval for the true offset; an estimate outside moves to its edge, one inside is as good as the reading.
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
      // Ahead by what the database is further behind now, or by less if it has caught up.
      this.#aheadMs = Math.max(0, this.#ahead(monotonicMs) + before - after)
      this.#aheadSinceMs = monotonicMs
      this.#offsetMs = after
      this.#leaps.add(fromMs, this.nowMs(), this.#sleptMs())
    }
  }

  /**
   * Some instance has been as far as `seenMs`. One that starts while the others wait for a database whose clock was set back waits
   * with them: they would disagree about what is old, and a retry would count as reuse. Nobody gets further than that by it. For one
   * that `isRunning` it is a step like any other, which the others have read before it.
   */
  catchUp(seenMs: number, isRunning = false): void {
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

/** The quickest answer says most about the time. */
function byRoundTrip(a: ClockReading, b: ClockReading): number {
  return a.receivedMs - a.sentMs - (b.receivedMs - b.sentMs)
}
