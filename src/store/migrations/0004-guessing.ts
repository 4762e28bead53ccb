import type { Migration } from './migrations.ts'

/** Counters against guessing passwords, and the addresses that an account signed in from. */
export const guessing: Migration = {
  id: 4,
  name: 'limits of guessing',
  sqlite: `
    create table guards (
      guard_key text primary key,
      failures integer not null,
      blocked_until_ms integer not null,
      updated_at_ms integer not null
    ) strict, without rowid;
    create index guards_by_age on guards (updated_at_ms);

    create table buckets (
      bucket_key text primary key,
      level real not null,
      at_ms integer not null
    ) strict, without rowid;
    create index buckets_by_age on buckets (at_ms);

    create table known_addresses (
      account_id integer not null,
      address_key text not null,
      last_at_ms integer not null,
      primary key (account_id, address_key)
    ) strict, without rowid;`,
  postgres: `
    create table guards (
      guard_key text collate "C" primary key,
      failures integer not null,
      blocked_until_ms bigint not null,
      updated_at_ms bigint not null
    );
    create index guards_by_age on guards (updated_at_ms);

    create table buckets (
      bucket_key text collate "C" primary key,
      level double precision not null,
      at_ms bigint not null
    );
    create index buckets_by_age on buckets (at_ms);

    create table known_addresses (
      account_id bigint not null,
      address_key text collate "C" not null,
      last_at_ms bigint not null,
      primary key (account_id, address_key)
    );`,
}
