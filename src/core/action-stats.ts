/** The figures of `/stats/user_actions` (contract, section 7), computed from the counts. */
import { DAY_MS, HOUR_MS } from '../settings/limits.ts'
import type { ActionKind } from './actions.ts'
import type { DateFormat } from './dates.ts'
import { monthsBefore } from './periods.ts'

export const INTERVALS = [
  'Total',
  'Last year',
  'Last 3 months',
  'Last month',
  'Last 30 days',
  'Last 24 hours',
  'Last hour',
] as const

export type Interval = (typeof INTERVALS)[number]

/** Counts and percentages by action code, in alphabetical order of the codes. */
export interface IntervalStats {
  readonly byTypeCount: Readonly<Record<string, number>>
  readonly byTypePercentage: Readonly<Record<string, number>>
}

export type StatsByInterval = Readonly<Record<Interval, IntervalStats>>

/** The start of each interval, in the order of `INTERVALS`. All end now, and none reaches back beyond the retention. */
export function intervalStarts(dates: DateFormat, nowMs: number, retentionMs: number): readonly number[] {
  const totalMs = nowMs - retentionMs
  const starts: Readonly<Record<Interval, number>> = {
    Total: totalMs,
    'Last year': monthsBefore(dates, nowMs, 12),
    'Last 3 months': monthsBefore(dates, nowMs, 3),
    'Last month': monthsBefore(dates, nowMs, 1),
    'Last 30 days': nowMs - 30 * DAY_MS,
    'Last 24 hours': nowMs - DAY_MS,
    'Last hour': nowMs - HOUR_MS,
  }
  return INTERVALS.map((interval) => Math.max(totalMs, starts[interval]))
}

export interface CountOfInterval {
  /** The index of the interval among those asked for, which is that in `INTERVALS`. */
  readonly interval: number
  readonly kind: ActionKind
  readonly code: string
  readonly count: number
}

/** The figures of one kind of user, or of all kinds together. */
export function statsByInterval(
  counts: readonly CountOfInterval[],
  kind: ActionKind | 'all',
): StatsByInterval {
  const wanted = counts.filter((count) => kind === 'all' || count.kind === kind)
  const stats = INTERVALS.map((name, place) => {
    return [name, figures(wanted.filter((count) => count.interval === place))] as const
  })
  return Object.fromEntries(stats) as unknown as StatsByInterval
}

function figures(counts: readonly CountOfInterval[]): IntervalStats {
  const sums = new Map<string, number>()
  for (const { code, count } of counts) sums.set(code, (sums.get(code) ?? 0) + count)
  const total = [...sums.values()].reduce((a, b) => a + b, 0)
  const entries = [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    byTypeCount: Object.fromEntries(entries),
    byTypePercentage: Object.fromEntries(
      entries.map(([code, count]) => [code, Math.round((count / total) * 10_000) / 100]),
    ),
  }
}
