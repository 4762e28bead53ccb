/** Clocks that jump: no jump signs anybody out, and nothing is accepted past its end. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { refreshRequest, signedIn } from '../store/engine.ts'
import { freshDatabase } from '../support/postgres.ts'
import { sendJson } from '../support/raw-http.ts'
import { T0 } from '../support/sessions.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { startReal } from './real-service.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS

test('PostgreSQL decides about time, whatever the clock of a process says', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-clocks-'))
  const database = await freshDatabase()
  t.after(async () => {
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  })
  const variables = faultVariables(folder, { DUKTIG_DATABASE_URL: database.url })
  const [living, over] = await populate(variables, 2)
  assert.ok(living && over)
  await expire(database.url, over.email)
  for (const shiftMs of [HOUR_MS, -HOUR_MS, YEAR_MS, -YEAR_MS]) {
    const service = await startReal(variables, { environment: { NODE_OPTIONS: shifted(shiftMs) } })
    try {
      const ask = (token: string) =>
        sendJson(service.address, 'POST', '/auth/refresh_token', {
          'Refresh-Token': token,
          'Idempotency-Key': 'one',
        })
      const own = (token: string) => sendJson(service.address, 'GET', '/user', { 'Access-Token': token })
      const refreshed = await ask(living.refreshToken)
      assert.equal(refreshed.status, 200, `at ${shiftMs} ms`)
      assert.equal((await own(refreshed.body['access_token'] as string)).status, 200)
      assert.equal((await own(living.accessToken)).status, 200)
      assert.equal((await ask(over.refreshToken)).status, 401)
      assert.equal((await own(over.accessToken)).status, 401)
    } finally {
      await service.stop()
    }
  }
})

test('SQLite: a clock that steps back under load signs nobody out and revives nothing', async (t) => {
  const { store, wall, pass } = await openAlone(t)
  const { session } = await signedIn(store, { sessionTtlSeconds: 7200, idleSeconds: 3600 })
  let generation = 1
  const refresh = async () => {
    const request = refreshRequest(store, { ...session, generation })
    const { decision, view } = await store.refreshSession(request)
    generation = view?.session.generation ?? generation
    return decision.kind
  }
  for (const stepMs of [-HOUR_MS, -YEAR_MS, YEAR_MS - HOUR_MS, -2 * HOUR_MS]) {
    // More than the parallel window has to pass before each rotation; the monotonic clock goes on while the wall clock
    // is behind.
    pass(30_000)
    wall.atMs += stepMs
    const kinds = await Promise.all(Array.from({ length: 20 }, refresh))
    assert.ok(
      kinds.every((kind) => ['advance', 'repeat', 'keep'].includes(kind)),
      `after ${stepMs} ms: ${kinds.join(' ')}`,
    )
  }
  pass(2 * HOUR_MS)
  assert.equal(await refresh(), 'deny', 'the absolute end has come')
  wall.atMs -= YEAR_MS
  assert.equal(await refresh(), 'deny', 'and is not taken back')
})

test('SQLite: a clock that steps forward makes no retry a reuse, and no time longer than it is', async (t) => {
  const { store, wall, pass } = await openAlone(t)
  const { session } = await signedIn(store, { sessionTtlSeconds: (3 * YEAR_MS) / 1000 })
  const present = async (generation: number) => {
    const { decision } = await store.refreshSession(refreshRequest(store, { ...session, generation }))
    return decision.kind
  }
  for (const [i, stepMs] of [5 * 60_000, HOUR_MS, YEAR_MS].entries()) {
    pass(30_000)
    // The answer is lost, and the retry comes without an attempt key, as from clients of the original.
    assert.equal(await present(i + 1), 'advance')
    pass(1000)
    wall.atMs += stepMs
    assert.equal(await present(i + 1), 'repeat', `after ${stepMs} ms`)
    assert.equal(await present(i + 2), 'keep')
  }
  pass(61_000)
  assert.equal(await present(3), 'end', 'what is late by the time that has passed is found out')
})

/**
 * A store whose clocks the test moves: `wall` can step, and `pass` advances the wall and the monotonic clock together.
 */
async function openAlone(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-clocks-'))
  const wall = { atMs: T0 }
  let monotonicMs = 0
  const pass = (ms: number) => {
    wall.atMs += ms
    monotonicMs += ms
  }
  const clock = createClock(
    () => wall.atMs,
    () => monotonicMs,
  )
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), clock)
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  return { store, wall, pass }
}

/** The Node option that shifts `Date.now` of a process by `ms`. */
function shifted(ms: number): string {
  return `--import=data:text/javascript,const%20now=Date.now;Date.now=()=>now()+(${ms})`
}

/** Moves the absolute end of the account's session into the past. */
async function expire(url: string, email: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(
    `update sessions set expires_at_ms = (extract(epoch from clock_timestamp()) * 1000)::bigint - 1000
     where account_id = (select account_id from accounts where email = $1)`,
    [email],
  )
  await client.end()
}
