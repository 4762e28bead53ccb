import type { Migration } from './migrations.ts'

/** So that a start can look for ends that its journal misses. No refresh touches it: it is of sessions that have ended. */
export const sessionsByEnd: Migration = {
  id: 8,
  name: 'sessions by their end',
  sqlite: 'create index sessions_by_end on sessions (ended_at_ms) where ended_at_ms is not null',
  postgres: 'create index sessions_by_end on sessions (ended_at_ms) where ended_at_ms is not null',
}
