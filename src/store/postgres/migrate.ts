import { MIGRATIONS } from '../migrations/migrations.ts'
import type { Connection, Sql } from './connection.ts'
import { LOCK, lock } from './locks.ts'

/** Building an index over a large table takes its time, and the other instances wait for it. */
const STEP_MS = 600_000

/** Applies the missing steps, each in its own transaction, and returns their names. Safe beside other instances. */
export async function migrate(connection: Connection): Promise<readonly string[]> {
  const applied: string[] = []
  for (const step of MIGRATIONS) {
    const isNew = await connection.transaction(async (sql) => {
      await lock(sql, LOCK.migrations)
      if ((await appliedSteps(sql)).has(step.id)) return false
      await sql.exec(step.postgres)
      await sql.exec(
        `insert into migrations (id, name, applied_at_ms)
         values (${step.id}, '${step.name.replaceAll("'", "''")}', ${connection.clock.nowMs()})`,
      )
      return true
    }, STEP_MS)
    if (isNew) applied.push(step.name)
  }
  return applied
}

async function appliedSteps(sql: Sql): Promise<ReadonlySet<number>> {
  // Not `create table if not exists`: it needs the right to create even if the table exists.
  const [row] = await sql.rows("select to_regclass('migrations') is not null")
  if (row?.[0] !== true) {
    await sql.exec(
      'create table migrations (id integer primary key, name text not null, applied_at_ms bigint not null)',
    )
    return new Set()
  }
  return new Set((await sql.rows('select id from migrations')).map(([id]) => id as number))
}
