/** A database of an earlier version keeps its contents. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClock } from '../../src/operations/clock.ts'
import { MIGRATIONS } from '../../src/store/migrations/migrations.ts'
import { Connection } from '../../src/store/sqlite/connection.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { NOON, aGroup, anAction } from './action-builders.ts'

const BEFORE_SEGMENTS = 6
const ACTIONS = 25_000

test('actions that were recorded before there were segments are listed with the later ones', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-migrations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'duktig.sqlite')
  const earlier = new Connection(file, createClock())
  await migrate(earlier, MIGRATIONS.slice(0, BEFORE_SEGMENTS))
  await earlier.write(() => {
    const insert = earlier.sql(
      "insert into user_actions (account_id, code, message, at_ms) values (?, 'User->getAccount', ?, ?)",
    )
    for (let i = 0; i < ACTIONS; i++) insert.run(7 + (i % 1000), String(i), NOON + i)
  })
  earlier.close()

  const { store } = await openSqlite(file, createClock())
  t.after(() => store.close())
  await store.recordActions(aGroup([anAction({ message: 'later', atMs: NOON + ACTIONS })]))
  const found = await store.listActions(7, 0, 100, 0, NOON * 2)
  const numbers = Array.from({ length: ACTIONS / 1000 }, (_, i) => String(i * 1000)).toReversed()
  assert.deepEqual(
    found.map(({ message }) => message),
    ['later', ...numbers],
  )
})
