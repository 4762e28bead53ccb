/** Calendar periods in the configured time zone, written as in the contract (section 7). */
import type { DateFormat } from './dates.ts'

export type Span = 'minute' | 'hour' | 'day' | 'month'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * How many characters of `YYYY-MM-DD HH:MM:SS` name a period, the ending that is appended to them, and the rest that
 * makes a full date of the period's name again.
 */
const FORMS: Readonly<Record<Span, readonly [length: number, ending: string, rest: string]>> = {
  month: [7, '', '-01 00:00:00'],
  day: [10, '', ' 00:00:00'],
  hour: [13, ':00', ':00'],
  minute: [16, '', ':00'],
}

/** Small enough that no hour or minute is stepped over, whatever clock changes the zone makes. */
const STEP_MS = { hour: 1_800_000, minute: 60_000 } as const

/** The period that contains a time: `2019-08`, `2019-08-27`, `2019-08-27 09:00`, `2019-08-27 08:14`. */
export function periodOf(dates: DateFormat, span: Span, timeMs: number): string {
  const [length, ending] = FORMS[span]
  return dates.format(timeMs).slice(0, length) + ending
}

/** The start of the period that contains a time. */
export function periodStartMs(dates: DateFormat, span: Span, timeMs: number): number {
  return dates.parse(periodOf(dates, span, timeMs) + FORMS[span][2]) ?? timeMs
}

/** The last `count` periods, oldest first and including the present one. */
export function lastPeriods(dates: DateFormat, span: Span, count: number, nowMs: number): readonly string[] {
  if (span === 'month' || span === 'day') {
    const [year = 0, month = 1, day = 1] = dates.format(nowMs).slice(0, 10).split('-').map(Number)
    // Counted on the calendar, since months and days differ in length. Months count from their first day, which every
    // month has.
    const dateOf = (back: number) =>
      span === 'month' ? Date.UTC(year, month - 1 - back, 1) : Date.UTC(year, month - 1, day - back)
    const [length] = FORMS[span]
    return Array.from({ length: count }, (_, i) =>
      new Date(dateOf(count - 1 - i)).toISOString().slice(0, length),
    )
  }
  // An hour that occurs twice because clocks are set back is one period.
  const periods = new Set<string>()
  for (let timeMs = nowMs; periods.size < count; timeMs -= STEP_MS[span])
    periods.add(periodOf(dates, span, timeMs))
  return [...periods].reverse()
}

/** The label of a period on a chart's axis: `Aug`, `Aug 27`, `09:00`, `08:14`. */
export function periodLabel(span: Span, period: string): string {
  if (span === 'hour' || span === 'minute') return period.slice(11)
  const month = MONTHS[Number(period.slice(5, 7)) - 1] ?? ''
  return span === 'month' ? month : `${month} ${period.slice(8, 10)}`
}

/** The same day and time of day `months` months ago; the last day of that month if the month is too short. */
export function monthsBefore(dates: DateFormat, nowMs: number, months: number): number {
  const text = dates.format(nowMs)
  const [year = 0, month = 1, day = 1] = text.slice(0, 10).split('-').map(Number)
  const lastDay = new Date(Date.UTC(year, month - months, 0)).getUTCDate()
  const date = new Date(Date.UTC(year, month - 1 - months, Math.min(day, lastDay)))
  return dates.parse(`${date.toISOString().slice(0, 10)} ${text.slice(11)}`) ?? nowMs
}
