import type { Migration } from './migrations.ts'

const BOTH = `
  create index sessions_living_of_account on sessions (account_id) where ended_at_ms is null;
  create index sessions_ended_of_account on sessions (account_id, created_at_ms) where ended_at_ms is not null;
  drop index sessions_of_account;`

/**
 * Sessions that have ended stay for as long as they would have lived, without a bound on their number. Signing in, and ending what
 * lives, must not read them; a listing reads the newest.
 */
export const sessionsOfAccounts: Migration = {
  id: 9,
  name: 'sessions of accounts, living and ended',
  sqlite: BOTH,
  postgres: BOTH,
}
