/** Formats and parses dates as `YYYY-MM-DD HH:MM:SS` in the configured time zone. */
import { DAY_MS } from '../settings/limits.ts'

export interface DateFormat {
  /** Null stays null. */
  format(timeMs: number): string
  format(timeMs: number | null): string | null
  /**
   * Milliseconds since 1970, or null if `text` is not a date of this form. A time that a clock change skips is moved
   * forward by that change; a time that occurs twice is taken as the first of the two.
   */
  parse(text: string): number | null
}

/** Excludes the year 0, which does not exist. */
const FORM = /^(?!0000)\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/

export function createDateFormat(timeZone: string): DateFormat {
  const offsetMs = timeZone === 'UTC' ? () => 0 : offsetOf(timeZone)
  function format(timeMs: number): string
  function format(timeMs: number | null): string | null
  function format(timeMs: number | null): string | null {
    if (timeMs === null) return null
    const date = new Date(timeMs + offsetMs(timeMs))
    const year = String(date.getUTCFullYear()).padStart(4, '0')
    const day = `${year}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
    return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  }
  return {
    format,
    parse(text) {
      if (!FORM.test(text)) return null
      const asUtcMs = Date.parse(text.replace(' ', 'T').concat('Z'))
      if (Number.isNaN(asUtcMs) || new Date(asUtcMs).toISOString().slice(0, 10) !== text.slice(0, 10))
        return null
      // The candidates use the offsets of the day before and of the day after: if a clock change is near, it lies
      // between the two.
      const earlierMs = asUtcMs - offsetMs(asUtcMs - DAY_MS)
      const laterMs = asUtcMs - offsetMs(asUtcMs + DAY_MS)
      const fits = (timeMs: number) => timeMs + offsetMs(timeMs) === asUtcMs
      return !fits(earlierMs) && fits(laterMs) ? laterMs : earlierMs
    },
  }
}

/**
 * Two digits. `toISOString` would take more than twice as long as all of `format`, and each answer of `GET /user` has
 * three dates.
 */
function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}

/** The zone's offset from UTC at a time, cached by the quarter of an hour: no zone changes its offset more often. */
function offsetOf(timeZone: string): (timeMs: number) => number {
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const remembered = new Map<number, number>()
  return (timeMs) => {
    const quarter = Math.floor(timeMs / 900_000)
    let offset = remembered.get(quarter)
    if (offset === undefined) {
      const at = quarter * 900_000
      const parts = Object.fromEntries(
        formatter.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
      )
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
      // `Date.UTC` would take the year 50 for 1950.
      const local = new Date(0)
      local.setUTCFullYear(year, month - 1, day)
      offset = local.setUTCHours(hour, minute, second) - at
      if (remembered.size > 10_000) remembered.clear()
      remembered.set(quarter, offset)
    }
    return offset
  }
}
