import type { Migration } from './migrations.ts'

const BOTH = `
  create index sessions_by_end on sessions (ended_at_ms, session_id)
    where ended_at_ms is not null and end_reason <> 'store-restored';
  alter table instances add column writes bigint not null default 0;`

/**
 * How many writes of its journal the database has heard of, for each instance; and an index, so that a start can look for ends
 * that its journal misses. No refresh touches that: it is of sessions that have ended, without those that a
 * recovery ended, perhaps millions of them.
 */
export const endsInJournals: Migration = {
  id: 8,
  name: 'ends in journals',
  sqlite: BOTH.replace('bigint', 'integer'),
  postgres: BOTH,
}
