import { type StatsByInterval, intervalStarts, statsByInterval } from '../core/action-stats.ts'
import type { DateFormat } from '../core/dates.ts'
import type { Deps } from './deps.ts'

export interface ActionStats {
  readonly all: StatsByInterval
  readonly system: StatsByInterval
  readonly users: StatsByInterval
  readonly guests: StatsByInterval
  readonly atMs: number
}

/** Counts of actions by code, interval and kind of user, as they are now; null if nothing has been counted. */
export async function actionStats(deps: Deps, dates: DateFormat): Promise<ActionStats | null> {
  await deps.events.flush()
  const atMs = deps.store.clock.nowMs()
  const counts = await deps.store.actionCounts(intervalStarts(dates, atMs, deps.actionRetentionMs))
  if (counts.length === 0) return null
  return {
    all: statsByInterval(counts, 'all'),
    system: statsByInterval(counts, 'system'),
    users: statsByInterval(counts, 'user'),
    guests: statsByInterval(counts, 'guest'),
    atMs,
  }
}
