/** Failures of PostgreSQL: cut connections, and servers that are read-only, unreachable, crashed or set up unwisely. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DatabaseError } from 'pg'
import { Connection } from '../../src/store/postgres/connection.ts'
import { unavailableIfSo } from '../../src/store/postgres/errors.ts'
import { openPostgres } from '../../src/store/postgres/open.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { type RunningPostgres, startPostgres } from '../support/postgres.ts'
import { makeAccount, newAccount, refreshRequest, signIn, signedIn, stored, until } from './engine.ts'
import { type TestPostgres, openTestPostgres } from './open-postgres.ts'

let own: TestPostgres | undefined
const opened = () => own as TestPostgres
before(async () => {
  own = await openTestPostgres()
})
after(() => own?.close())

async function cutConnections(): Promise<void> {
  await opened().sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  )
}

/** Repeats `call` until it works. Each failure before that must be `StoreUnavailable`. */
async function untilItWorks(call: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await call()
      return
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || tries === 1000) throw error
      await nextTurn()
    }
  }
}

/** Gives a setting of this database a value while `work` runs, for new connections. Existing ones are cut. */
async function whileSet(setting: string, value: string, work: () => Promise<void>): Promise<void> {
  const [row] = await opened().sql('select current_database()')
  const database = `alter database ${String(row?.[0])}`
  await opened().sql(`${database} set ${setting} = ${value}`)
  await cutConnections()
  try {
    await work()
  } finally {
    // The connection beside the store is older than the setting, so the setting does not affect it.
    await opened().sql(`${database} reset ${setting}`)
  }
}

test('after all its connections were cut, the store works again by itself', async () => {
  const { store } = opened()
  const { session } = await signedIn(store)
  await Promise.all(Array.from({ length: 20 }, () => store.findAccount(session.accountId)))
  await cutConnections()
  await untilItWorks(() => store.check())
  await untilItWorks(() => store.refreshSession(refreshRequest(store, session)))
  await untilItWorks(() => makeAccount(store))
})

test('cutting connections under load leaves answers, and refusals that say the store is unavailable', async () => {
  const { store } = opened()
  const { session } = await signedIn(store, { parallelWindowSeconds: 0 })
  const progress = { generation: 1, isOver: false }
  const refreshUntilOver = async () => {
    while (!progress.isOver) {
      const advance = refreshRequest(store, session, {
        decide: ({ session: { generation } }) => ({
          kind: 'advance',
          generation: generation + 1,
          attemptKey: null,
          recovered: false,
        }),
      })
      try {
        const { view } = await store.refreshSession(advance)
        progress.generation = Math.max(progress.generation, view?.session.generation ?? 0)
      } catch (error) {
        assert.ok(error instanceof StoreUnavailable, String(error))
        await nextTurn()
      }
    }
  }
  const load = Promise.all([
    ...Array.from({ length: 8 }, refreshUntilOver),
    ...Array.from({ length: 4 }, async () => {
      while (!progress.isOver) {
        await makeAccount(store).catch((error: unknown) => assert.ok(error instanceof StoreUnavailable))
        await nextTurn()
      }
    }),
  ])
  for (let i = 0; i < 10; i++) {
    const reached = progress.generation
    await until(() => progress.generation >= reached + 3, load)
    await cutConnections()
  }
  progress.isOver = true
  await load
  await untilItWorks(() => store.check())
  assert.ok((await stored(store, session.sessionId)).generation >= progress.generation)
})

test('a database that became read-only is unavailable for writing, and is found writable again', async () => {
  const { store } = opened()
  const { session, account } = await signedIn(store)
  await whileSet('default_transaction_read_only', 'on', async () => {
    await untilItWorks(() => store.readSession(session.sessionId))
    await assert.rejects(store.check(), StoreUnavailable)
    await assert.rejects(store.createAccount(newAccount()), StoreUnavailable)
    await assert.rejects(store.endSessions(account.accountId, 'ended-by-user'), StoreUnavailable)
    const advance = { kind: 'advance', generation: 2, attemptKey: null, recovered: false } as const
    const refresh = store.refreshSession(refreshRequest(store, session, { decide: () => advance }))
    await assert.rejects(refresh, StoreUnavailable)
  })
  // Connections opened meanwhile stay read-only, and nobody cuts them: the store itself has to give them up.
  await untilItWorks(() => store.check())
  assert.deepEqual(await stored(store, session.sessionId), session)
})

test('our own connections commit durably although the server is set up otherwise, and the store says so', async () => {
  const { store, url } = opened()
  await whileSet('synchronous_commit', 'off', async () => {
    await untilItWorks(() => store.check())
    const problems = await store.inspect()
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /synchronous_commit is off/)
    const connection = new Connection(url, {})
    assert.deepEqual(await connection.rows('show synchronous_commit'), [['on']])
    await connection.close()
  })
  await cutConnections()
  await untilItWorks(async () => assert.deepEqual(await store.inspect(), []))
})

test('a stronger setting of the server is left as it is', async () => {
  await whileSet('synchronous_commit', 'remote_apply', async () => {
    const connection = new Connection(opened().url, {})
    assert.deepEqual(await connection.rows('show synchronous_commit'), [['remote_apply']])
    await connection.close()
    await untilItWorks(async () => assert.deepEqual(await opened().store.inspect(), []))
  })
})

const unreachable: { name: string; change: (url: URL) => void }[] = [
  { name: 'nobody listens', change: (url) => (url.port = '1') },
  { name: 'the password is wrong', change: (url) => (url.password = 'wrong') },
  { name: 'there is no such database', change: (url) => (url.pathname = '/no_such_database') },
]
for (const { name, change } of unreachable) {
  test(`opening says that the store is unavailable when ${name}`, async () => {
    const url = new URL(opened().url)
    change(url)
    await assert.rejects(openPostgres(url.href), StoreUnavailable)
  })
}

test('after a crash of the server nothing acknowledged is missing, and the store works again by itself', async () => {
  const server = await startPostgres({ settings: { fsync: 'off', full_page_writes: 'off' } })
  let store: Store | undefined
  try {
    store = (await openPostgres(server.url)).store
    await crashAndCompare(server, store)
    assert.deepEqual(
      (await store.inspect()).map((problem) => problem.split(' ')[0]),
      ['fsync', 'full_page_writes'],
    )
  } finally {
    await store?.close()
    await server.stop()
  }
})

async function crashAndCompare(server: RunningPostgres, store: Store): Promise<void> {
  const { account, application } = await signedIn(store, { parallelWindowSeconds: 0 })
  const sessions = []
  for (let i = 0; i < 8; i++) sessions.push(await signIn(store, account, application))
  const acknowledged = new Map<string, number>()
  const load = sessions.map(async (session) => {
    for (let generation = 1; ; generation++) {
      const request = refreshRequest(store, session, { generation })
      const outcome = await store.refreshSession(request).catch((error: unknown) => error)
      if (outcome instanceof StoreUnavailable) return
      acknowledged.set(session.sessionId, generation + 1)
    }
  })
  const over = Promise.all(load)
  await until(() => Math.max(0, ...acknowledged.values()) >= 20, over)
  await server.crash()
  await over
  await assert.rejects(store.check(), StoreUnavailable)
  await server.restart()
  await untilItWorks(() => store.check())
  for (const [sessionId, generation] of acknowledged) {
    const row = await stored(store, sessionId)
    // One more rotation may have been written whose answer was lost.
    assert.ok(row.generation === generation || row.generation === generation + 1)
  }
}

test('a write that reaches a database which falls silent is refused in time, and not done when it wakes', async () => {
  const server = await startPostgres()
  const beside = new Connection(server.url, {})
  const { store } = await openPostgres(server.url)
  try {
    const { session } = await signedIn(store, { parallelWindowSeconds: 0 })
    const backends = await beside.rows(
      "select pid from pg_stat_activity where application_name = 'duktig' and pid <> pg_backend_pid()",
    )
    const signal = (name: NodeJS.Signals) => {
      for (const [pid] of backends) process.kill(pid as number, name)
    }
    const deadlineMs = store.clock.nowMs() + 300
    const advance = refreshRequest(store, session, {
      deadlineMs,
      decide: () => {
        signal('SIGSTOP')
        return { kind: 'advance', generation: 2, attemptKey: null, recovered: false }
      },
    })
    await assert.rejects(store.refreshSession(advance), StoreUnavailable)
    assert.ok(store.clock.nowMs() < deadlineMs + 1000)
    signal('SIGCONT')
    // Closing waits for requests that are under way.
    await store.close()
    assert.deepEqual(await beside.rows('select generation from sessions'), [[1]])
  } finally {
    await store.close()
    await beside.close()
    await server.stop()
  }
})

test('a standby, whose answers may be old, is not spoken to', async () => {
  const server = await startPostgres()
  let store: Store | undefined
  try {
    store = (await openPostgres(server.url)).store
    const connection = new Connection(server.url, {})
    const [row] = await connection.rows('show data_directory')
    await connection.close()
    await server.crash()
    writeFileSync(path.join(String(row?.[0]), 'standby.signal'), '')
    await server.restart()
    await assert.rejects(store.listApplications(), { name: 'StoreUnavailable', message: /standby/ })
    await assert.rejects(openPostgres(server.url), { name: 'StoreUnavailable', message: /standby/ })
  } finally {
    await store?.close()
    await server.stop()
  }
})

test('a database in which the user may create no tables is told as one that cannot be used', async () => {
  const { sql, url } = opened()
  const user = `stranger_${process.pid}`
  await sql(`create role ${user} login password 'stranger'`)
  try {
    const theirs = new URL(url)
    theirs.username = user
    theirs.password = 'stranger'
    const message = /^PostgreSQL: permission denied for /
    await assert.rejects(openPostgres(theirs.href), { name: 'StoreUnavailable', message })
  } finally {
    await sql(`drop role ${user}`)
  }
})

test('errors that mean "not now" are told from faults', () => {
  const meaning = (code: string) => {
    const error = new DatabaseError('message', 7, 'error')
    error.code = code
    return unavailableIfSo(error) instanceof StoreUnavailable
  }
  const notNow = [
    '08006',
    '25006',
    '53100',
    '53300',
    '55P03',
    '57014',
    '57P01',
    '57P03',
    '58030',
    '40001',
    'XX001',
  ]
  for (const code of notNow) assert.ok(meaning(code), code)
  for (const code of ['23505', '42601', '42P01', '22P02', '23503', '42501']) assert.ok(!meaning(code), code)
  assert.ok(unavailableIfSo(new Error('Connection terminated unexpectedly')) instanceof StoreUnavailable)
})
