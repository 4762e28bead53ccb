/** A listing that has to look at many segments does not make other requests wait. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import { NOON, aGroup, anAction } from './action-builders.ts'

/** Each segment has ten thousand ids; a busy service fills this many in a year. */
const SEGMENTS = 5000
/** Few enough to be read in one step, if each did not contain so many actions. */
const BUSY_SEGMENTS = 250
const ACTIONS_IN_EACH = 500

async function opened(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-actions-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'duktig.sqlite')
  const { store } = await openSqlite(file, createClock())
  t.after(() => store.close())
  return { file, store }
}

/** Starts a listing, and expects two reads that start later to be answered before it. */
async function listedAfterOthers(store: Store, accountId: number, offset: number) {
  const done: string[] = []
  const listing = store.listActions(accountId, offset, 10, 0, NOON * 2).then((found) => {
    done.push('listing')
    return found
  })
  await store.readSession('nobody')
  await store.readSession('nobody')
  done.push('others')
  const found = await listing
  assert.deepEqual(done, ['others', 'listing'])
  return found
}

test('what lies behind thousands of segments is found, and others are answered meanwhile', async (t) => {
  const { file, store } = await opened(t)
  await store.recordActions(aGroup([anAction({ accountId: 7, message: 'long ago' })]))
  // Actions of another account, each in a segment of its own.
  const beside = new DatabaseSync(file)
  beside.exec(`
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${SEGMENTS})
    insert into user_actions (id, account_id, code, message, at_ms) select n * 10000, 8, 'User->getAccount', '', ${NOON} + n
      from numbers;
    insert into action_segments select id / 10000, at_ms, at_ms from user_actions where account_id = 8`)
  beside.close()

  const found = await listedAfterOthers(store, 7, 0)
  assert.deepEqual(
    found.map(({ message }) => message),
    ['long ago'],
  )
  const oldest = await store.listActions(8, SEGMENTS - 3, 10, 0, NOON * 2)
  assert.deepEqual(
    oldest.map(({ atMs }) => atMs - NOON),
    [3, 2, 1],
  )
})

test('others are answered while the actions of somebody who did a lot are counted', async (t) => {
  const { file, store } = await opened(t)
  const beside = new DatabaseSync(file)
  beside.exec(`
    with recursive segments (n) as (select 1 union all select n + 1 from segments where n < ${BUSY_SEGMENTS}),
      ids (i) as (select 0 union all select i + 1 from ids where i < ${ACTIONS_IN_EACH - 1})
    insert into user_actions (id, account_id, code, message, at_ms)
      select n * 10000 + i, 8, 'User->getAccount', '', ${NOON} + n * 1000 + i from segments, ids;
    insert into action_segments select id / 10000, min(at_ms), max(at_ms) from user_actions group by 1`)
  beside.close()

  const found = await listedAfterOthers(store, 8, BUSY_SEGMENTS * ACTIONS_IN_EACH - 1)
  assert.deepEqual(
    found.map(({ atMs }) => atMs - NOON),
    [1000],
  )
})
