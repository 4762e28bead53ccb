import type { Migration } from './migrations.ts'

/**
 * What is needed to exchange refresh tokens of the original for sessions of ours: the accounts that were imported with
 * their tokens, in the state they had then, and the ids of sessions that tokens were exchanged for, which are
 * remembered longer than the sessions' rows.
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
