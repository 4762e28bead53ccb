/** The charts of `/stats/app_logs` (contract, section 7), computed from the counters and ready to draw. */
import { DAY_MS, HOUR_MS } from '../settings/limits.ts'
import type { DateFormat } from './dates.ts'
import { type Span, lastPeriods, periodLabel, periodOf } from './periods.ts'

/** The levels of the service's log that are counted. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info'

/** The levels of the contract, in its order, each with the levels of the service's log that it covers. */
export const STAT_LEVELS = {
  notice: [],
  warning: ['warn'],
  exception: ['fatal', 'error'],
  error: ['fatal', 'error'],
  NA: [],
  unknown: [],
  info: ['info'],
} as const satisfies Readonly<Record<string, readonly LogLevel[]>>

export type StatLevel = keyof typeof STAT_LEVELS

export const STAT_LEVEL_NAMES = Object.keys(STAT_LEVELS) as readonly StatLevel[]

/** The charts: the number of periods that each shows, and how long its counters are kept. */
export const CHARTS = {
  last_12_months: { span: 'month', periods: 12, title: 'Last year', keepMs: 400 * DAY_MS },
  last_30_days: { span: 'day', periods: 31, title: 'Last 30 days', keepMs: 33 * DAY_MS },
  last_24_hours: { span: 'hour', periods: 24, title: 'Last 24 hours', keepMs: 2 * DAY_MS },
  last_1_hour: { span: 'minute', periods: 61, title: 'Last 1 hour', keepMs: 3 * HOUR_MS },
} as const

export type ChartName = keyof typeof CHARTS

export const CHART_NAMES = Object.keys(CHARTS) as readonly ChartName[]

/** For each span, the time from which on a chart may need its counters. */
export function countersSince(nowMs: number): Readonly<Record<Span, number>> {
  return {
    month: nowMs - CHARTS.last_12_months.keepMs,
    day: nowMs - CHARTS.last_30_days.keepMs,
    hour: nowMs - CHARTS.last_24_hours.keepMs,
    minute: nowMs - CHARTS.last_1_hour.keepMs,
  }
}

export interface CountOfSpan {
  readonly span: Span
  readonly startMs: number
  readonly level: LogLevel
  readonly count: number
}

/** A chart; the keys are in the order of the contract. */
export interface Chart {
  readonly type: 'line'
  readonly title: string
  readonly xAxis: readonly string[]
  readonly yAxis: { readonly min: number; readonly max: number }
  readonly series: Readonly<
    Record<StatLevel, { readonly title: string; readonly data: Readonly<Record<string, number>> }>
  >
}

/** A chart made from the counters of its span; counters outside its periods are left out. */
export function chartOf(
  name: ChartName,
  counts: readonly CountOfSpan[],
  dates: DateFormat,
  nowMs: number,
): Chart {
  const { span, periods, title } = CHARTS[name]
  const shown = lastPeriods(dates, span, periods, nowMs)
  const own = counts
    .filter((count) => count.span === span)
    .map((count) => ({ ...count, period: periodOf(dates, span, count.startMs) }))
  const series = STAT_LEVEL_NAMES.map((shownLevel) => {
    const data = new Map(shown.map((period) => [period, 0]))
    const covered: readonly LogLevel[] = STAT_LEVELS[shownLevel]
    for (const { period, count, level } of own) {
      const sum = data.get(period)
      if (sum !== undefined && covered.includes(level)) data.set(period, sum + count)
    }
    return [shownLevel, { title: shownLevel, data: Object.fromEntries(data) }] as const
  })
  const max = Math.max(...series.flatMap(([, { data }]) => Object.values(data)))
  return {
    type: 'line',
    title,
    xAxis: shown.map((period) => periodLabel(span, period)),
    yAxis: { min: 0, max },
    series: Object.fromEntries(series) as unknown as Chart['series'],
  }
}
