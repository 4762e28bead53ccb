/** Which work SQLite accepts while its transactions are slow, and after it is closed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { healthRoutes } from '../../src/http/health.ts'
import { createClock } from '../../src/operations/clock.ts'
import { MOST_AT_ONCE } from '../../src/store/sqlite/connection.ts'
import { LONGER_BY_MS, REFUSING_MS, SHORT_TURN_MS, TURN_MS, Turn } from '../../src/store/sqlite/turn.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { StoreBusy } from '../../src/store/store-busy.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { refreshRequest, signedIn } from './engine.ts'

async function opened(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-turns-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'duktig.sqlite')
  const { store } = await openSqlite(file, createClock())
  t.after(() => store.close())
  const { session } = await signedIn(store)
  return { file, store, session }
}

test('a group that takes longer than a turn lets one more group in, and the next one is refused', async (t) => {
  const { store, session } = await opened(t)
  let decided = 0
  const decide = () => {
    decided += 1
    const untilMs = performance.now() + (decided === 1 ? TURN_MS + 2 * REFUSING_MS : 0)
    while (performance.now() < untilMs);
    return { kind: 'keep', touch: false } as const
  }
  const request = refreshRequest(store, session, { decide })
  const asked = Array.from({ length: 2 * MOST_AT_ONCE + 1 }, () => store.refreshSession(request))
  const outcomes = await Promise.allSettled(asked)
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2 * MOST_AT_ONCE)
  const last = outcomes.at(-1)
  assert.ok(last?.status === 'rejected' && last.reason instanceof StoreBusy)
})

test('a closed store says so to those who read', async (t) => {
  const { store, session } = await opened(t)
  await store.close()
  const asked = Array.from({ length: MOST_AT_ONCE + 1 }, () => store.readSession(session.sessionId))
  for (const outcome of await Promise.allSettled(asked)) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable)
    assert.ok(!(outcome.reason instanceof StoreBusy))
  }
})

test('what another process keeps from being written is refused when the store is closed', async (t) => {
  const { file, store, session } = await opened(t)
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('begin immediate')
  const refreshed = store.refreshSession(refreshRequest(store, session))
  await store.close()
  await assert.rejects(refreshed, StoreUnavailable)
})

test('a store that another process keeps from writing is not ready, also while all that may wait does', async (t) => {
  const { file, store, session } = await opened(t)
  const ready = async () => {
    // New routes for each probe: for a second, the same routes would answer from their last check.
    const routes = healthRoutes(
      () => store.check(),
      () => false,
    )
    const route = routes.find(({ path: asked }) => asked === '/health/ready')
    return (await route?.handle({} as never))?.status
  }
  const write = () => store.endSession(session.accountId, 'no-such-session', 'signed-out')
  const fill = () => Array.from({ length: MOST_AT_ONCE }, write)
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  assert.equal(await ready(), 200)
  other.exec('begin immediate')
  const first = Promise.allSettled(fill())
  await assert.rejects(write(), StoreBusy)
  assert.equal(await ready(), 200, 'a short lock under load')
  for (const outcome of await first) assert.ok(outcome.status === 'rejected')
  const second = Promise.allSettled(fill())
  await assert.rejects(write(), (error) => error instanceof StoreUnavailable && !(error instanceof StoreBusy))
  assert.equal(await ready(), 503)
  other.exec('rollback')
  for (const outcome of await second) assert.ok(outcome.status === 'fulfilled')
  assert.equal(await ready(), 200)
})

test('after a turn that refused the next one is short, and each that refuses nobody lets them grow again', () => {
  const turn = new Turn()
  let nowMs = 1000
  const lasts = () => {
    turn.tookWork(nowMs)
    const startMs = nowMs
    while (turn.leavesTime(nowMs)) nowMs += LONGER_BY_MS
    return nowMs - startMs
  }
  assert.equal(lasts(), TURN_MS)
  turn.end()
  assert.equal(lasts(), SHORT_TURN_MS)
  turn.end()
  for (let quiet = 0; quiet < 8; quiet++) turn.end()
  assert.equal(lasts(), SHORT_TURN_MS + 8 * LONGER_BY_MS)
  turn.end()
  for (let quiet = 0; quiet < 1000; quiet++) turn.end()
  assert.equal(lasts(), TURN_MS)
})
