import type { Migration } from './migrations.ts'

/**
 * What refresh tokens of the original need to lead to sessions of ours: the accounts that came over with them, with
 * the state they came in, and the sessions that tokens were exchanged for, remembered longer than their rows.
 */
export const legacy: Migration = {
  id: 3,
  name: 'refresh tokens of the original',
  sqlite: `
    create table legacy_accounts (
      account_id integer primary key,
      version integer not null,
      application_epoch integer not null
    ) strict;

    create table legacy_sessions (
      session_id text primary key,
      expires_at_ms integer not null
    ) strict, without rowid;
    create index legacy_sessions_by_expiry on legacy_sessions (expires_at_ms);`,
  postgres: `
    create table legacy_accounts (
      account_id bigint primary key,
      version bigint not null,
      application_epoch bigint not null
    );

    create table legacy_sessions (
      session_id text collate "C" primary key,
      expires_at_ms bigint not null
    );
    create index legacy_sessions_by_expiry on legacy_sessions (expires_at_ms);`,
}
