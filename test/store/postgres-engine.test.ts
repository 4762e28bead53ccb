/** Guarantees of the PostgreSQL engine alone: updates in place, locked rows, several instances. */
import { NO_SESSION } from '../../src/core/denial.ts'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Client } from 'pg'
import type { Session } from '../../src/core/session.ts'
import { Connection } from '../../src/store/postgres/connection.ts'
import { openPostgres } from '../../src/store/postgres/open.ts'
import { MIGRATIONS } from '../../src/store/migrations/migrations.ts'
import { type Decide, StoreUnavailable } from '../../src/store/store.ts'
import { freshDatabase, startPostgres } from '../support/postgres.ts'
import { age, makeAccount, refreshRequest, signIn, signedIn, stored, together } from './engine.ts'
import { type TestPostgres, openTestPostgres } from './open-postgres.ts'

let own: TestPostgres | undefined
const opened = () => own as TestPostgres
before(async () => {
  own = await openTestPostgres()
})
after(() => own?.close())

/** Runs `statement` in a transaction that stays open, and holds its rows, while `work` runs. */
async function holding(statement: string, work: () => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: opened().url })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(statement)
    await work()
  } finally {
    await client.end()
  }
}

/** Runs a statement in another process, and blocks this process until it is done. */
function runElsewhere(statement: string): void {
  const script = `import { Client } from 'pg'
    const client = new Client({ connectionString: process.argv[1] })
    await client.connect()
    await client.query(process.argv[2])
    await client.end()`
  execFileSync(process.execPath, ['--input-type=module', '--eval', script, opened().url, statement])
}

test('refreshing and signing in again update rows in place', async () => {
  // A separate server without autovacuum: an analysis at the same time would keep dead rows from being cleared away.
  const server = await startPostgres({ settings: { autovacuum: 'off' } })
  try {
    const { store } = await openPostgres(server.url)
    const { account, application } = await signedIn(store, { parallelWindowSeconds: 0 })
    const sessions: Session[] = []
    for (let i = 0; i < 40; i++) sessions.push(await signIn(store, account, application))
    // Each turn updates a few rows of a page, as happens when many sessions are live.
    for (let turn = 0; turn < 250; turn++) {
      const generation = 1 + Math.floor(turn / 10)
      const few = sessions.filter((_, i) => i % 10 === turn % 10)
      const outcomes = await Promise.all(
        few.map((session) => store.refreshSession(refreshRequest(store, session, { generation }))),
      )
      for (const { decision } of outcomes) assert.equal(decision.kind, 'advance')
    }
    await store.close()
    await expectUpdatesInPlace(server.url)
  } finally {
    await server.stop()
  }
})

async function expectUpdatesInPlace(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const select = async (text: string) => (await client.query({ text, rowMode: 'array' })).rows.map(String)
  // A connection delivers its statistics before it disappears.
  const others = "select 1 from pg_stat_activity where application_name = 'duktig'"
  while ((await select(others)).length > 0) await nextTurn()
  const updates = await select(
    `select relname, n_tup_upd, n_tup_upd - n_tup_hot_upd from pg_stat_user_tables
     where relname in ('accounts', 'sessions') order by relname`,
  )
  await client.end()
  assert.deepEqual(updates, ['accounts,41,0', 'sessions,1000,0'])
}

test('a row that somebody holds delays its own session only', async () => {
  const { store } = opened()
  const [held, free] = [await signedIn(store), await signedIn(store)]
  for (const { session } of [held, free]) await age(opened(), session.sessionId, 30)
  let late: ReturnType<typeof store.refreshSession> | undefined
  await holding(
    `select 1 from sessions where session_id = '${held.session.sessionId}' for update`,
    async () => {
      late = store.refreshSession(refreshRequest(store, held.session))
      const { decision } = await store.refreshSession(refreshRequest(store, free.session))
      assert.equal(decision.kind, 'advance')
      assert.equal((await stored(store, held.session.sessionId)).generation, 1)
    },
  )
  assert.equal((await late)?.decision.kind, 'advance')
})

test('a check of the store does not wait for the application that a crowd of sign-ins holds', async () => {
  const { store } = opened()
  await holding('select 1 from applications for share', () => store.check())
})

test('a request whose row is held past its deadline is refused and never written', async () => {
  const { store } = opened()
  const { session } = await signedIn(store)
  await age(opened(), session.sessionId, 30)
  const row = await stored(store, session.sessionId)
  await holding(`select 1 from sessions where session_id = '${session.sessionId}' for update`, async () => {
    const deadlineMs = store.clock.nowMs() + 300
    await assert.rejects(
      store.refreshSession(refreshRequest(store, session, { deadlineMs })),
      StoreUnavailable,
    )
    assert.ok(store.clock.nowMs() >= deadlineMs)
  })
  await store.check()
  assert.deepEqual(await stored(store, session.sessionId), row)
})

test("the database itself refuses a write that arrives after the request's deadline", async () => {
  const { store } = opened()
  const { session } = await signedIn(store)
  await age(opened(), session.sessionId, 30)
  const row = await stored(store, session.sessionId)
  const deadlineMs = store.clock.nowMs() + 60
  const request = refreshRequest(store, session, {
    deadlineMs,
    // Slow enough that the deadline is past when the update comes.
    decide: () => {
      while (store.clock.nowMs() <= deadlineMs + 5);
      return { kind: 'advance', generation: 2, attemptKey: null, recovered: false }
    },
  })
  await assert.rejects(store.refreshSession(request), StoreUnavailable)
  assert.deepEqual(await stored(store, session.sessionId), row)
})

for (const change of [
  'generation = generation + 1',
  'handed_out_at_ms = handed_out_at_ms + 1',
  'repeats = repeats + 1',
  "ended_at_ms = 1, end_reason = 'signed-out'",
]) {
  test(`what was decided before somebody wrote ${change} is decided again`, async () => {
    const { store } = opened()
    const { session } = await signedIn(store)
    const write = `update sessions set ${change} where session_id = '${session.sessionId}'`
    const seen: Session[] = []
    const decide: Decide = (view) => {
      seen.push(view.session)
      // Writes between the store's read and its write, because `runElsewhere` blocks this process meanwhile.
      if (seen.length === 1) runElsewhere(write)
      if (view.session.endedAtMs !== null) return { kind: 'deny', denial: NO_SESSION }
      return { kind: 'repeat', repeats: view.session.repeats + 10 }
    }
    const { view } = await store.refreshSession(refreshRequest(store, session, { decide }))
    assert.equal(seen.length, 2)
    assert.deepEqual(seen[0], session)
    assert.notDeepEqual(seen[1], session)
    const { repeats } = await stored(store, session.sessionId)
    assert.equal(repeats, view?.session.repeats)
    assert.equal(repeats, (seen[1]?.repeats ?? 0) + (change.startsWith('ended') ? 0 : 10))
  })
}

test('a write behind a lock that is not given up is refused in time and does not happen later', async () => {
  const { store } = opened()
  const { accountId } = await makeAccount(store)
  await holding(`select 1 from accounts where account_id = ${accountId} for update`, async () => {
    await assert.rejects(store.changeAccount(accountId, { firstName: 'never' }), StoreUnavailable)
  })
  await store.changeAccount(accountId, { lastName: 'afterwards' })
  const account = await store.findAccount(accountId)
  assert.deepEqual([account?.firstName, account?.lastName], ['Anna', 'afterwards'])
})

test('instances that open an empty database at the same time apply each migration once', async () => {
  const database = await freshDatabase()
  try {
    const openings = await Promise.all(Array.from({ length: 4 }, () => openPostgres(database.url)))
    const applied = openings.flatMap((opening) => opening.applied)
    assert.deepEqual(applied.toSorted(), MIGRATIONS.map(({ name }) => name).toSorted())
    await Promise.all(openings.map(({ store }) => store.close()))
    const again = await openPostgres(database.url)
    assert.deepEqual(again.applied, [])
    await again.store.close()
  } finally {
    await database.drop()
  }
})

test('with two connections everything gets its turn', async () => {
  const { store } = await openPostgres(opened().url, { poolSize: 2 })
  try {
    const { session } = await signedIn(store)
    await Promise.all([
      ...Array.from({ length: 30 }, () => makeAccount(store)),
      ...Array.from({ length: 30 }, () => store.refreshSession(refreshRequest(store, session))),
      ...Array.from({ length: 30 }, () => store.readSession(session.sessionId)),
      store.importAccounts([]),
      store.check(),
    ])
  } finally {
    await store.close()
  }
})

test('a deadlock of transactions is resolved by running one of them again', async () => {
  const { store, url, sql } = opened()
  // By default, the server looks for deadlocks after a second. Looking sooner keeps the test far from other time-outs.
  const impatient = new URL(url)
  impatient.searchParams.set('options', '-c deadlock_timeout=50ms')
  const connection = new Connection(impatient.href, {})
  try {
    const ids = [(await makeAccount(store)).accountId, (await makeAccount(store)).accountId]
    const met = Promise.withResolvers<void>()
    let waiting = 0
    let runs = 0
    const both = async ([first, second]: readonly (number | undefined)[]) =>
      connection.transaction(async (tx) => {
        runs += 1
        const change = "update accounts set comment = coalesce(comment, '') || 'x' where account_id = $1"
        await tx.rows(change, first)
        waiting += 1
        if (waiting === 2) met.resolve()
        await met.promise
        await tx.rows(change, second)
      })
    await Promise.all([both(ids), both(ids.toReversed())])
    assert.ok(runs >= 3)
    const rows = await sql('select comment from accounts where account_id = ? or account_id = ?', ...ids)
    assert.deepEqual(rows, [['xx'], ['xx']])
  } finally {
    await connection.close()
  }
})

test('a transaction that swallowed the error of a statement does not pass for committed', async () => {
  const connection = new Connection(opened().url, {})
  try {
    const swallowed = connection.transaction(async (sql) => {
      await sql.exec('select 1 / 0').catch(() => {})
    })
    await assert.rejects(swallowed, /rolled back/)
  } finally {
    await connection.close()
  }
})

test('instances share the clock of the database', async () => {
  const stores = [opened().store, await opened().another()] as const
  const [row] = await opened().sql('select (extract(epoch from clock_timestamp()) * 1000)::float8')
  const databaseMs = row?.[0] as number
  const times = await together(stores, 2, async (store) => store.clock.nowMs())
  for (const timeMs of times) assert.ok(Math.abs(timeMs - databaseMs) < 500)
  assert.ok(Math.abs((times[0] ?? 0) - (times[1] ?? 0)) < 50)
})
