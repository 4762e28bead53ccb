import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { decideRefresh } from '../../src/core/refresh.ts'
import { DatabaseClock } from '../../src/store/postgres/clock.ts'
import { decideChain } from '../../src/store/postgres/decide-chain.ts'
import { openPostgres } from '../../src/store/postgres/open.ts'
import type { RefreshOutcome } from '../../src/store/store.ts'
import { freshDatabase } from '../support/postgres.ts'
import { aView } from '../support/sessions.ts'
import { refreshRequest, signedIn } from './engine.ts'

const START = 1_800_000_000_000
const HOUR_MS = 3_600_000

/** A clock over two times that the test moves: the monotonic time of the process, and the time of the database. */
function setUp() {
  const now = { processMs: 1000, databaseMs: START }
  const clock = new DatabaseClock(
    () => now.processMs,
    () => 0,
  )
  const pass = (ms: number) => {
    now.processMs += ms
    now.databaseMs += ms
  }
  /** Takes a reading whose request and answer take `thereMs` and `backMs`. */
  const read = (thereMs = 0, backMs = 0) => {
    const sentMs = now.processMs
    pass(thereMs)
    const { databaseMs } = now
    pass(backMs)
    clock.learn([{ sentMs, databaseMs, receivedMs: now.processMs }])
  }
  return { now, clock, pass, read }
}

test('the clock says what the database says, in whole milliseconds', () => {
  const { clock, pass, read } = setUp()
  read(2, 2)
  assert.equal(clock.nowMs(), START + 4)
  pass(1000.7)
  assert.equal(clock.nowMs(), START + 1004)
})

test('of several readings the quickest sets the clock', () => {
  const clock = new DatabaseClock(() => 1000)
  clock.learn([
    { sentMs: 0, databaseMs: START - 1000 + 90, receivedMs: 100 },
    { sentMs: 100, databaseMs: START - 899, receivedMs: 102 },
    { sentMs: 200, databaseMs: START - 790, receivedMs: 230 },
  ])
  assert.equal(clock.nowMs(), START)
})

test('a reading that took long does not disturb a clock that is right', () => {
  const { clock, now, read } = setUp()
  read()
  read(900, 0)
  assert.equal(clock.nowMs(), now.databaseMs)
  read(0, 900)
  assert.equal(clock.nowMs(), now.databaseMs)
})

test('the clock follows the database forward at once', () => {
  const { clock, now, read } = setUp()
  read()
  now.databaseMs += 60_000
  read(1, 1)
  assert.ok(Math.abs(clock.nowMs() - now.databaseMs) <= 1)
})

test('when the database is set back, the clock goes on slowly until both agree, and never back', () => {
  const { clock, now, pass, read } = setUp()
  read()
  const beforeMs = clock.nowMs()
  now.databaseMs -= 1000
  read()
  assert.equal(clock.nowMs(), beforeMs)
  pass(500)
  assert.equal(clock.nowMs(), beforeMs + 250)
  read()
  assert.equal(clock.nowMs(), beforeMs + 250)
  pass(1500)
  assert.equal(clock.nowMs(), now.databaseMs)
  pass(500)
  assert.equal(clock.nowMs(), now.databaseMs)
})

test('a database that is set back and then forward again is followed without a step back', () => {
  const { clock, now, pass, read } = setUp()
  read()
  now.databaseMs -= 1000
  read()
  pass(400)
  const aheadMs = clock.nowMs()
  now.databaseMs += 500
  read()
  assert.ok(clock.nowMs() >= aheadMs)
  now.databaseMs += 10_000
  read()
  assert.equal(clock.nowMs(), now.databaseMs)
})

test('a deadline is given to the database in its own time, also while the clock is ahead of it', () => {
  const { clock, now, read } = setUp()
  read()
  assert.equal(clock.inDatabaseMs(clock.nowMs() + 2000), now.databaseMs + 2000)
  now.databaseMs -= 1000
  read()
  assert.equal(clock.inDatabaseMs(clock.nowMs() + 2000), now.databaseMs + 2000)
})

test('whatever the database says, the clock never steps back', () => {
  const { clock, now, pass, read } = setUp()
  read()
  let lastMs = clock.nowMs()
  for (let i = 0; i < 20_000; i++) {
    if (i % 7 === 0) now.databaseMs += Math.sin(i) * 500
    if (i % 3 === 0) read((i * 7) % 11, (i * 5) % 13)
    pass(((i * 31) % 17) / 3)
    const nowMs = clock.nowMs()
    assert.ok(nowMs >= lastMs, `step ${i}`)
    lastMs = nowMs
  }
})

test('a clock that has not been set is a fault', () => {
  assert.throws(() => new DatabaseClock().nowMs(), /has not been read/)
})

test('a clock that starts behind another instance, whose database was set back, waits with it', () => {
  const { clock, now, pass, read } = setUp()
  read()
  clock.catchUp(START + HOUR_MS)
  assert.equal(clock.nowMs(), START + HOUR_MS)
  assert.equal(clock.inDatabaseMs(clock.nowMs() + 2000), now.databaseMs + 2000)
  pass(HOUR_MS)
  read()
  assert.equal(clock.nowMs(), START + 1.5 * HOUR_MS)
  // Neither an earlier time of the other instance, nor 0 when no instance has noted a time, moves the clock.
  clock.catchUp(START + HOUR_MS)
  clock.catchUp(0)
  assert.equal(clock.nowMs(), START + 1.5 * HOUR_MS)
  pass(HOUR_MS)
  assert.equal(clock.nowMs(), now.databaseMs)
})

test('a time of an instance that is more than two hours ahead is not believed', () => {
  const { clock, read } = setUp()
  read()
  clock.catchUp(START + 2 * HOUR_MS + 1)
  assert.equal(clock.nowMs(), START)
  clock.catchUp(START + 2 * HOUR_MS)
  assert.equal(clock.nowMs(), START + 2 * HOUR_MS)
})

test('an instance that starts after the clock of the database was set back by an hour takes no retry for reuse', async (t) => {
  const database = await freshDatabase()
  const client = new Client({ connectionString: database.url })
  await client.connect()
  t.after(async () => {
    await client.end()
    await database.drop()
  })
  await setBackBy(client, 0)
  const { store: first } = await openPostgres(database.url)
  t.after(() => first.close())
  const { session } = await signedIn(first, { parallelWindowSeconds: 0 })
  await first.beat('first')
  await setBackBy(client, HOUR_MS)
  const { store: restarted } = await openPostgres(database.url)
  t.after(() => restarted.close())
  assert.equal((await restarted.refreshSession(refreshRequest(restarted, session))).decision.kind, 'advance')
  assert.equal((await first.refreshSession(refreshRequest(first, session))).decision.kind, 'repeat')
})

/** Sets the database's clock back by `ms`, for existing connections and new ones. */
async function setBackBy(client: Client, ms: number): Promise<void> {
  const { rows } = await client.query('select current_database() as name')
  await client.query(`
    alter database ${rows[0].name} set search_path = public, pg_catalog;
    create or replace function public.clock_timestamp() returns timestamptz language sql volatile
      as $$ select pg_catalog.clock_timestamp() - ${ms} * interval '1 ms' $$`)
}

test('a step forward is remembered with its size, slow readings and small corrections are not', () => {
  const { now, clock, pass, read } = setUp()
  read()
  pass(3000)
  read(400, 600)
  now.databaseMs += 900
  read()
  assert.deepEqual(clock.leaps(), [])
  pass(3000)
  now.databaseMs += HOUR_MS
  read()
  assert.deepEqual(clock.leaps(), [{ toMs: clock.nowMs(), byMs: HOUR_MS }])
})

test('one that another instance was first to read is remembered too, but not where an instance begins with it', () => {
  for (const isRunning of [true, false]) {
    const { clock, now, read } = setUp()
    read()
    now.databaseMs += HOUR_MS
    clock.catchUp(now.databaseMs, { isRunning })
    read()
    assert.equal(clock.nowMs(), now.databaseMs)
    assert.equal(clock.leaps().length, isRunning ? 1 : 0)
  }
})

test('a retry across a step of PostgreSQL’s clock gets the token that its lost answer had', () => {
  const { clock, now, pass, read } = setUp()
  read()
  const atMs = clock.nowMs()
  const life = { createdAtMs: atMs, lastUsedAtMs: atMs, expiresAtMs: atMs + 24 * HOUR_MS }
  const view = aView({ ...life, generation: 2, rotatedAtMs: atMs, handedOutAtMs: atMs })
  const { sessionId, accountId } = view.session
  const presented = { sessionId, accountId, generation: 1, attemptKey: null }
  const request = {
    presented,
    decide: decideRefresh,
    kid: 'key-1',
    applicationId: null,
    deadlineMs: Infinity,
  }
  const job = { request, ...Promise.withResolvers<RefreshOutcome>(), lostRaces: 0, watchIndex: 0 }
  const retry = (rotatedAtMs = atMs) => {
    const session = { ...view.session, rotatedAtMs }
    return decideChain([job], { ...view, session }, clock).answers.map(([, { decision }]) => decision.kind)
  }
  pass(1000)
  now.databaseMs += HOUR_MS
  read()
  pass(5000)
  assert.deepEqual(retry(), ['repeat'])
  assert.deepEqual(retry(atMs + 3000), ['repeat'], 'by an instance that had not read it yet')
  now.databaseMs += HOUR_MS
  read()
  assert.deepEqual(retry(), ['repeat'], 'across two of them')
  pass(61_000)
  assert.deepEqual(retry(), ['end'])
})
