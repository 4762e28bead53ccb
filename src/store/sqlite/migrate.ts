import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { Connection } from './connection.ts'

/**
 * Applies the missing steps, each in its own transaction. Safe beside other processes that do the same.
 * @returns the names of the steps applied
 */
export async function migrate(
  connection: Connection,
  steps: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  await connection.write(() => {
    connection.exec(
      'create table if not exists migrations (id integer primary key, name text not null, applied_at_ms integer not null) strict',
    )
  })
  const applied: string[] = []
  // Creating an index over millions of rows must sort them in a file, not in memory.
  connection.exec('pragma temp_store = file')
  for (const step of steps) {
    const isNew = await connection.write(() => {
      if (connection.row('select 1 from migrations where id = ?', step.id) !== undefined) return false
      connection.exec(step.sqlite)
      connection.run(
        'insert into migrations (id, name, applied_at_ms) values (?, ?, ?)',
        step.id,
        step.name,
        connection.clock.nowMs(),
      )
      return true
    })
    if (isNew) applied.push(step.name)
  }
  connection.exec('pragma temp_store = memory')
  return applied
}
