import type { DateFormat } from '../core/dates.ts'
import { CHART_NAMES, type Chart, type ChartName, chartOf, countersSince } from '../core/log-stats.ts'
import type { LogLevelTotal } from '../store/action-store.ts'
import type { Deps } from './deps.ts'

export interface LogStats {
  readonly levels: readonly LogLevelTotal[]
  readonly charts: Readonly<Record<ChartName, Chart>>
  readonly atMs: number
}

/** Counts of log lines by level, as they are now; null if nothing has been logged. */
export async function logStats(deps: Deps, dates: DateFormat): Promise<LogStats | null> {
  await deps.events.flush()
  const levels = await deps.store.logLevels()
  if (levels.length === 0) return null
  const atMs = deps.store.clock.nowMs()
  const counts = await deps.store.logCounts(countersSince(atMs))
  const charts = CHART_NAMES.map((name) => [name, chartOf(name, counts, dates, atMs)])
  return { levels, charts: Object.fromEntries(charts) as LogStats['charts'], atMs }
}
