import type { Migration } from './migrations.ts'

/**
 * SQLite only: the index of actions by account begins with the segment of the id, so that everything written to it at
 * one time lies in a few pages (`sqlite/action-segments.ts`). PostgreSQL keeps a single index.
 */
export const actionSegments: Migration = {
  id: 7,
  name: 'segments of actions',
  sqlite: `
    create table action_segments (
      segment integer primary key,
      first_at_ms integer not null,
      last_at_ms integer not null
    ) strict;
    drop index user_actions_of_account;
    create index user_actions_by_segment on user_actions (id / 10000, account_id, at_ms);
    insert into action_segments select id / 10000, min(at_ms), max(at_ms) from user_actions group by 1;`,
  postgres: 'select',
}
