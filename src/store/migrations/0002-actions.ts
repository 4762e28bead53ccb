import type { Migration } from './migrations.ts'

/**
 * Recorded actions, and the counters of actions and log lines that are written together with them. `action_writers`
 * holds the number of each writer's last group, so that no group is written twice.
 */
export const actions: Migration = {
  id: 2,
  name: 'actions and their counters',
  sqlite: `
    -- Ids are never given again: who follows the actions remembers the last one.
    create table user_actions (
      id integer primary key autoincrement,
      account_id integer not null,
      code text not null,
      message text not null,
      at_ms integer not null,
      address text,
      session_id text
    ) strict;
    create index user_actions_of_account on user_actions (account_id, at_ms);

    -- The counts of one code stand side by side, in the order of time: an interval is summed up as it is read.
    create table action_counts (
      span text not null check (span in ('hour', 'day', 'month')),
      kind text not null check (kind in ('user', 'guest', 'system')),
      code text not null,
      start_ms integer not null,
      count integer not null,
      primary key (span, kind, code, start_ms)
    ) strict, without rowid;

    create table log_counts (
      span text not null check (span in ('minute', 'hour', 'day', 'month')),
      start_ms integer not null,
      level text not null,
      count integer not null,
      primary key (span, start_ms, level)
    ) strict, without rowid;

    create table log_levels (
      level text primary key,
      total integer not null,
      first_message text not null,
      first_at_ms integer not null,
      last_message text not null,
      last_at_ms integer not null
    ) strict, without rowid;

    create table action_writers (
      writer text primary key,
      last_group integer not null,
      at_ms integer not null
    ) strict, without rowid;`,
  postgres: `
    create table user_actions (
      id bigint generated always as identity primary key,
      account_id bigint not null,
      code text not null,
      message text not null,
      at_ms bigint not null,
      address text,
      session_id text
    );
    create index user_actions_of_account on user_actions (account_id, at_ms, id);

    create table action_counts (
      span text collate "C" not null check (span in ('hour', 'day', 'month')),
      kind text collate "C" not null check (kind in ('user', 'guest', 'system')),
      code text collate "C" not null,
      start_ms bigint not null,
      count bigint not null,
      primary key (span, kind, code, start_ms)
    ) with (fillfactor = 70);

    create table log_counts (
      span text collate "C" not null check (span in ('minute', 'hour', 'day', 'month')),
      start_ms bigint not null,
      level text collate "C" not null,
      count bigint not null,
      primary key (span, start_ms, level)
    ) with (fillfactor = 70);

    create table log_levels (
      level text collate "C" primary key,
      total bigint not null,
      first_message text not null,
      first_at_ms bigint not null,
      last_message text not null,
      last_at_ms bigint not null
    ) with (fillfactor = 50);

    create table action_writers (
      writer text collate "C" primary key,
      last_group bigint not null,
      at_ms bigint not null
    ) with (fillfactor = 50);`,
}
