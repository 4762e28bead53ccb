import type { Migration } from './migrations.ts'

const BOTH = `
  create index sessions_living_of_account on sessions (account_id) where ended_at_ms is null;
  create index sessions_ended_of_account on sessions (account_id, created_at_ms) where ended_at_ms is not null;
  drop index sessions_of_account;`

/**
 * Ended sessions stay in the table until their absolute end, without a bound on their number. Signing in and ending
 * live sessions must not read them; a listing reads the newest.
 */
export const sessionsOfAccounts: Migration = {
  id: 9,
  name: 'sessions of accounts, living and ended',
  sqlite: BOTH,
  postgres: BOTH,
}
