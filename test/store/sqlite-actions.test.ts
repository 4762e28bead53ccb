/** Listings of an account that did little, long ago. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { NOON, aGroup, anAction } from './action-builders.ts'

/** Of ten thousand ids each, as a year of a busy service has them. */
const SEGMENTS = 5000

test('what lies behind thousands of segments is found, and others are answered meanwhile', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-actions-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'duktig.sqlite')
  const { store } = await openSqlite(file, createClock())
  t.after(() => store.close())
  await store.recordActions(aGroup([anAction({ accountId: 7, message: 'long ago' })]))
  // Actions of somebody else, with so many ids left out between them.
  const beside = new DatabaseSync(file)
  beside.exec(`
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${SEGMENTS})
    insert into user_actions (id, account_id, code, message, at_ms) select n * 10000, 8, 'User->getAccount', '', ${NOON} + n
      from numbers;
    insert into action_segments select id / 10000, at_ms, at_ms from user_actions where account_id = 8`)
  beside.close()

  const done: string[] = []
  const listing = store.listActions(7, 0, 10, 0, NOON * 2).then((found) => {
    done.push('listing')
    return found
  })
  await store.readSession('nobody')
  await store.readSession('nobody')
  done.push('others')
  assert.deepEqual(
    (await listing).map(({ message }) => message),
    ['long ago'],
  )
  assert.deepEqual(done, ['others', 'listing'])
  const oldest = await store.listActions(8, SEGMENTS - 3, 10, 0, NOON * 2)
  assert.deepEqual(
    oldest.map(({ atMs }) => atMs - NOON),
    [3, 2, 1],
  )
})
