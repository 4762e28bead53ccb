/** SQLite appends rotations to a log and settles them into the rows later; no reader of a session may notice. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { Session } from '../../src/core/session.ts'
import { createClock } from '../../src/operations/clock.ts'
import { MOST_AT_ONCE } from '../../src/store/sqlite/connection.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { TURN_MS } from '../../src/store/sqlite/turn.ts'
import { MOST_TEXT_CHARACTERS } from '../../src/store/sqlite/rotation-tails.ts'
import type { Store } from '../../src/store/store.ts'
import { settle } from '../support/settle.ts'
import { makeAccount, makeApplication, refreshRequest, signIn, stored } from './engine.ts'

/** Chosen so that the log fills up and is settled more than once. */
const FULL_AT = 1000
const ROUNDS = 8
const SESSIONS = 600
/** Rotations of each session. The log then has three times what a start reads at once. */
const LONG_LOG_ROUNDS = 5
/** Longer than the pause between two steps in which a start reads the log, and shorter than `QUIET_MS`. */
const PAUSE_MS = 100
/** How long the log waits for quiet, or until it tries a refused step again. */
const QUIET_MS = 1000

async function site(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-rotations-'))
  const file = path.join(folder, 'duktig.sqlite')
  const open = async () => {
    const { store } = await openSqlite(file, createClock(), { rotationLogFullAt: FULL_AT })
    t.after(() => store.close())
    return store
  }
  t.after(() => rmSync(folder, { recursive: true }))
  return { file, open }
}

/** The database file, opened without the store. */
function openRows(t: TestContext, file: string): DatabaseSync {
  const rows = new DatabaseSync(file, { timeout: 5000 })
  t.after(() => rows.close())
  return rows
}

function numberOf(rows: DatabaseSync, sql: string): number {
  return Number(Object.values({ ...rows.prepare(sql).get() })[0])
}

async function sessionsOf(store: Store, count: number): Promise<readonly Session[]> {
  const application = await makeApplication(store, { parallelWindowSeconds: 0 })
  const sessions: Session[] = []
  while (sessions.length < count) {
    const account = await makeAccount(store)
    const some = Array.from({ length: Math.min(50, count - sessions.length) }, () =>
      signIn(store, account, application),
    )
    sessions.push(...(await Promise.all(some)))
  }
  return sessions
}

/** Rotates each session once. */
async function rotateAll(store: Store, sessions: readonly Session[], generation: number): Promise<void> {
  for (let i = 0; i < sessions.length; i += 50) {
    const some = sessions.slice(i, i + 50).map(async (session) => {
      const { decision } = await store.refreshSession(refreshRequest(store, session, { generation }))
      // `recovered` would mean that the store knew only an older generation.
      assert.ok(decision.kind === 'advance' && !decision.recovered)
    })
    await Promise.all(some)
  }
}

test('rotations of many sessions stay what they were while they are settled, and after a crash', async (t) => {
  const { open, file } = await site(t)
  const store = await open()
  const sessions = await sessionsOf(store, SESSIONS)
  for (let round = 1; round <= ROUNDS; round++) await rotateAll(store, sessions, round)
  const rows = openRows(t, file)
  assert.ok(
    numberOf(rows, 'select count(*) from rotations') < ROUNDS * SESSIONS,
    'some have been settled and removed',
  )
  assert.ok(numberOf(rows, 'select count(*) from sessions where generation > 1') > 0)
  // As after a crash, the new store reads from the log what the other has in memory.
  const another = await open()
  for (const session of sessions) {
    const before = await stored(store, session.sessionId)
    assert.equal(before.generation, ROUNDS + 1)
    assert.deepEqual(await stored(another, session.sessionId), before)
  }
  await store.close()
  await rotateAll(another, sessions, ROUNDS + 1)
})

test('two processes that rotate the same sessions in turn see what the other has done', async (t) => {
  const { open } = await site(t)
  const [one, two] = [await open(), await open()]
  const sessions = await sessionsOf(one, 50)
  for (let generation = 1; generation <= 40; generation++) {
    await rotateAll(generation % 2 === 0 ? one : two, sessions, generation)
  }
  for (const { sessionId } of sessions) assert.equal((await stored(one, sessionId)).generation, 41)
})

test('what another process has settled does not come back when the log is full again', async (t) => {
  const { open, file } = await site(t)
  const store = await open()
  const sessions = await sessionsOf(store, SESSIONS)
  const rows = openRows(t, file)
  let generation = 0
  for (let times = 1; times <= 3; times++) {
    // The log fills up within the second round, so the rest of that round comes while the log is being settled.
    for (let round = 1; round <= 2; round++) await rotateAll(store, sessions, ++generation)
    settle(rows)
  }
  for (const { sessionId } of sessions) {
    assert.equal((await stored(store, sessionId)).generation, generation + 1)
  }
})

test('a log that a start reads in several steps is whole for whoever comes meanwhile', async (t) => {
  const { file, open } = await site(t)
  const other = (await openSqlite(file, createClock())).store
  t.after(() => other.close())
  const rows = openRows(t, file)
  const sessions = await sessionsOf(other, SESSIONS)
  let generation = 1
  const rotate = () => rotateAll(other, sessions, generation++)
  const refill = async () => {
    for (let round = 1; round <= LONG_LOG_ROUNDS; round++) await rotate()
  }
  await refill()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const meanwhile = [async () => {}, rotate, async () => settle(rows)]
  for (const happens of meanwhile) {
    // Before the next step of reading, between two steps, and after the last.
    for (const steps of [0, 1, 2, 9]) {
      const { store } = await openSqlite(file, createClock(), { longRunning: true })
      for (let step = 1; step <= steps; step++) {
        t.mock.timers.tick(PAUSE_MS)
        await store.readSession('nobody')
      }
      await happens()
      for (const session of [sessions.at(-1), sessions[0]] as Session[])
        assert.equal((await stored(store, session.sessionId)).generation, generation)
      await store.close()
      settle(rows)
      await refill()
    }
  }
  const store = await open()
  await rotateAll(store, sessions, generation)
})

test('a start that is refused a step goes on reading, and settles nothing before it has read all', async (t) => {
  const { file } = await site(t)
  const other = (await openSqlite(file, createClock())).store
  t.after(() => other.close())
  const sessions = await sessionsOf(other, SESSIONS)
  for (let round = 1; round <= LONG_LOG_ROUNDS; round++) await rotateAll(other, sessions, round)
  const rows = openRows(t, file)
  const left = () =>
    numberOf(rows, 'select count(*) from rotations where rotation_id > (select settled_to from rotation_log)')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { store } = await openSqlite(file, createClock(), { longRunning: true })
  t.after(() => store.close())
  const before = numberOf(rows, 'pragma data_version')
  const reads = Array.from({ length: MOST_AT_ONCE }, () => store.readSession('nobody'))
  const untilMs = performance.now() + TURN_MS
  while (performance.now() < untilMs);
  t.mock.timers.tick(PAUSE_MS)
  await Promise.all(reads)
  for (const pauseMs of [QUIET_MS, PAUSE_MS, PAUSE_MS]) {
    t.mock.timers.tick(pauseMs)
    for (let turn = 1; turn <= 2; turn++) await store.readSession('nobody')
    assert.equal(numberOf(rows, 'pragma data_version'), before)
  }
  for (let steps = 1; steps <= SESSIONS && left() > 0; steps++) {
    t.mock.timers.tick(QUIET_MS)
    await store.check()
  }
  assert.equal(left(), 0)
})

test('in quiet times the log is settled until it is empty', async (t) => {
  const { file } = await site(t)
  const { store } = await openSqlite(file, createClock(), { longRunning: true })
  t.after(() => store.close())
  const sessions = await sessionsOf(store, 500)
  await rotateAll(store, sessions, 1)
  const rows = openRows(t, file)
  const left = rows.prepare('select count(*) as count from rotations')
  while ((left.get() as { count: number }).count > 0) await store.check()
  await rotateAll(store, sessions, 2)
  while ((left.get() as { count: number }).count > 0) await store.check()
  const advanced = rows.prepare('select count(*) as count from sessions where generation = 3')
  assert.deepEqual({ ...advanced.get() }, { count: 500 })
})

test('a log that was empty at the start is settled again as soon as it is full', async (t) => {
  const { open, file } = await site(t)
  const store = await open()
  const sessions = await sessionsOf(store, SESSIONS)
  for (let round = 1; round <= 4; round++) await rotateAll(store, sessions, round)
  const rows = openRows(t, file)
  settle(rows)
  // As if the database had had a billion rotations.
  rows.exec('update rotation_log set settled_to = settled_to + 1000000000')
  await store.close()
  const another = await open()
  for (let round = 5; round <= 8; round++) await rotateAll(another, sessions, round)
  const advanced = rows.prepare('select count(*) as count from sessions where generation > 5')
  assert.notDeepEqual({ ...advanced.get() }, { count: 0 })
})

test('a row that is younger than the log stays as it is', async (t) => {
  const { open, file } = await site(t)
  const store = await open()
  const [session] = (await sessionsOf(store, 1)) as [Session]
  await rotateAll(store, [session], 1)
  const rows = openRows(t, file)
  rows.prepare('update sessions set generation = 7 where session_id = ?').run(session.sessionId)
  assert.equal((await stored(store, session.sessionId)).generation, 7)
  settle(rows)
  assert.equal((await stored(store, session.sessionId)).generation, 7)
})

test('rotations of a transaction that is undone are forgotten, and those before it are not', async (t) => {
  const { open, file } = await site(t)
  const store = await open()
  const sessions = await sessionsOf(store, 3)
  const [rotated, fresh, broken] = sessions as [Session, Session, Session]
  await rotateAll(store, [rotated], 1)
  const rows = openRows(t, file)
  rows.exec(`create trigger broken before insert on rotations when new.session_id = '${broken.sessionId}'
    begin select raise(rollback, 'broken'); end`)
  const asked = [
    refreshRequest(store, rotated, { generation: 2 }),
    refreshRequest(store, fresh),
    // Rotates the session again, so that two of its rotations are undone.
    refreshRequest(store, rotated, { generation: 3 }),
    refreshRequest(store, broken),
  ]
  const outcomes = await Promise.allSettled(asked.map((request) => store.refreshSession(request)))
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']))
  assert.equal((await stored(store, rotated.sessionId)).generation, 2)
  assert.equal((await stored(store, fresh.sessionId)).generation, 1)
  rows.exec('drop trigger broken')
  await rotateAll(store, [rotated], 2)
  await rotateAll(store, [fresh, broken], 1)
})

test('a transaction that cannot begin takes nothing back', async (t) => {
  const { open, file } = await site(t)
  const store = await open()
  const [session] = (await sessionsOf(store, 1)) as [Session]
  await rotateAll(store, [session], 1)
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('begin immediate')
  const asked = store.refreshSession(refreshRequest(store, session, { generation: 2 }))
  // This read is asked for after the refresh, so it is answered when the refresh has been tried.
  assert.equal((await stored(store, session.sessionId)).generation, 2)
  other.exec('rollback')
  const { decision } = await asked
  assert.ok(decision.kind === 'advance' && !decision.recovered)
})

test('an attempt key that the log could not keep whole is refused, and nothing is written', async (t) => {
  const { open } = await site(t)
  const store = await open()
  const [session] = (await sessionsOf(store, 1)) as [Session]
  const withKey = (characters: number) =>
    store.refreshSession(refreshRequest(store, session, { attemptKey: 'k'.repeat(characters) }))
  await assert.rejects(withKey(MOST_TEXT_CHARACTERS + 1), RangeError)
  assert.equal((await stored(store, session.sessionId)).generation, 1)
  await withKey(MOST_TEXT_CHARACTERS)
  assert.equal((await stored(store, session.sessionId)).attemptKey, 'k'.repeat(MOST_TEXT_CHARACTERS))
})

test('the cap of live sessions goes by last uses that are in the log alone', async (t) => {
  const { open } = await site(t)
  const store = await open()
  const application = await makeApplication(store, { parallelWindowSeconds: 0 })
  const account = await makeAccount(store)
  const [first, second] = [
    await signIn(store, account, application),
    await signIn(store, account, application),
  ]
  while (store.clock.nowMs() === second.createdAtMs) await store.check()
  await store.refreshSession(refreshRequest(store, first))
  const third = await signIn(store, account, application, { maxLiveSessions: 2 })
  const live = (await store.listSessions(account.accountId, 10)).filter(({ endedAtMs }) => endedAtMs === null)
  assert.deepEqual(live.map(({ sessionId }) => sessionId).sort(), [first.sessionId, third.sessionId].sort())
})
