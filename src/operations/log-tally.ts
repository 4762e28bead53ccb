/** Counts the lines that are logged, for `/stats/app_logs`. */
import type { DateFormat } from '../core/dates.ts'
import type { LogLevel } from '../core/log-stats.ts'
import { type Span, periodStartMs } from '../core/periods.ts'
import type { LogTally, LoggedLine } from '../store/action-store.ts'
import type { Clock } from '../store/store.ts'
import type { Log } from './log.ts'

const MINUTE_MS = 60_000
/** The most minutes counted apart while the store cannot take counts; later lines count for the last of them. */
const MOST_MINUTES = 1440
const SPANS: readonly Span[] = ['minute', 'hour', 'day', 'month']

interface LevelTally {
  total: number
  first: LoggedLine
  last: LoggedLine
  readonly minutes: Map<number, number>
}

export class LogTallies {
  readonly #clock: Clock
  readonly #dates: DateFormat
  readonly #counted: () => void
  #levels = new Map<LogLevel, LevelTally>()

  /** `counted` is called after each counted line. */
  constructor(clock: Clock, dates: DateFormat, counted: () => void) {
    this.#clock = clock
    this.#dates = dates
    this.#counted = counted
  }

  get isEmpty(): boolean {
    return this.#levels.size === 0
  }

  count(level: LogLevel, message: string): void {
    const line = { message, atMs: this.#clock.nowMs() }
    let tally = this.#levels.get(level)
    if (tally === undefined) {
      tally = { total: 0, first: line, last: line, minutes: new Map() }
      this.#levels.set(level, tally)
    }
    tally.total += 1
    tally.last = line
    const now = Math.floor(line.atMs / MINUTE_MS) * MINUTE_MS
    const isFull = tally.minutes.size >= MOST_MINUTES && !tally.minutes.has(now)
    const minute = isFull ? Math.max(...tally.minutes.keys()) : now
    tally.minutes.set(minute, (tally.minutes.get(minute) ?? 0) + 1)
    this.#counted()
  }

  /** The counts since the last call. */
  take(): readonly LogTally[] {
    const levels = this.#levels
    this.#levels = new Map()
    return [...levels]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([level, { total, first, last, minutes }]) => {
        return { level, total, first, last, counts: this.#bySpan(minutes) }
      })
  }

  #bySpan(minutes: ReadonlyMap<number, number>): LogTally['counts'] {
    return SPANS.flatMap((span) => {
      const sums = new Map<number, number>()
      for (const [minute, count] of minutes) {
        const startMs = periodStartMs(this.#dates, span, minute)
        sums.set(startMs, (sums.get(startMs) ?? 0) + count)
      }
      return [...sums].sort(([a], [b]) => a - b).map(([startMs, count]) => ({ span, startMs, count }))
    })
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** A log that writes to `log` and counts every line of `leastLevel` or above. */
export function countedLog(log: Log, leastLevel: (typeof LEVELS)[number], tallies: LogTallies): Log {
  const counted = (level: 'info' | 'warn' | 'error'): Log['info'] => {
    const write = log[level].bind(log) as Log['info'] & ((...line: unknown[]) => void)
    if (LEVELS.indexOf(level) < LEVELS.indexOf(leastLevel)) return write
    return (...line: unknown[]) => {
      write(...line)
      const message = line.find((part) => typeof part === 'string')
      tallies.count(level, message ?? '')
    }
  }
  return {
    debug: (...line: Parameters<Log['debug']>) => log.debug(...line),
    info: counted('info'),
    warn: counted('warn'),
    error: counted('error'),
  }
}
