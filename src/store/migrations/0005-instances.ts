import type { Migration } from './migrations.ts'

/**
 * The instances and when each was last seen. They tell a recovery whose journals it needs and how old the restored
 * database is.
 */
export const instances: Migration = {
  id: 5,
  name: 'instances',
  sqlite: `
    create table instances (
      instance_id text primary key,
      last_seen_at_ms integer not null
    ) strict, without rowid;`,
  postgres: `
    create table instances (
      instance_id text primary key,
      last_seen_at_ms bigint not null
    ) with (fillfactor = 50);`,
}
