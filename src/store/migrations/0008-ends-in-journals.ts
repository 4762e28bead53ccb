import type { Migration } from './migrations.ts'

const BOTH = `
  create index sessions_by_end on sessions (ended_at_ms, session_id)
    where ended_at_ms is not null and end_reason <> 'store-restored';
  alter table instances add column writes bigint not null default 0;`

/**
 * For each instance, how many writes of its journal the database has heard of; and an index by which a start finds ends
 * that its journal lacks. The index holds ended sessions only, so refreshes do not touch it, and leaves out those that
 * a recovery ended, which may be millions.
 */
export const endsInJournals: Migration = {
  id: 8,
  name: 'ends in journals',
  sqlite: BOTH.replace('bigint', 'integer'),
  postgres: BOTH,
}
