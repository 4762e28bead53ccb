import type { Migration } from './migrations.ts'

/**
 * SQLite only: rotations are appended here and settled into the rows of their sessions later
 * (`sqlite/rotation-log.ts`). PostgreSQL updates its rows in place.
 */
export const rotations: Migration = {
  id: 6,
  name: 'rotations',
  sqlite: `
    create table rotations (
      rotation_id integer primary key,
      session_id text not null,
      generation integer not null,
      rotated_at_ms integer not null,
      handed_out_at_ms integer not null,
      kid text not null,
      attempt_key text,
      repeats integer not null,
      last_used_at_ms integer not null
    ) strict;
    -- What has a rotation_id up to settled_to stands in sessions.
    create table rotation_log (
      one integer primary key check (one = 1),
      settled_to integer not null
    ) strict;
    insert into rotation_log values (1, 0);`,
  postgres: 'select',
}
