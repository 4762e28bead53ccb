/** SQLite keeps in memory what every request reads. No reader may ever get anything but what the database says. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import type { Session } from '../../src/core/session.ts'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import { type Random, createRandom, freshSeed, givenSeed } from '../support/random.ts'
import { makeAccount, makeApplication, refreshRequest, signIn, signedIn, unique } from './engine.ts'

const LOOKS = 50
/** Changes between two comparisons of everything. */
const STEPS = 6

async function site(t: TestContext, rowMemoryBytes?: number) {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-reads-'))
  const file = path.join(folder, 'duktig.sqlite')
  const memory = rowMemoryBytes === undefined ? {} : { rowMemoryBytes }
  const open = async () => {
    const { store } = await openSqlite(file, createClock(), { rotationLogFullAt: 20, ...memory })
    return store
  }
  const opened = async () => {
    const store = await open()
    t.after(() => store.close())
    return store
  }
  const rows = () => {
    const database = new DatabaseSync(file, { timeout: 5000 })
    t.after(() => database.close())
    return database
  }
  t.after(() => rmSync(folder, { recursive: true }))
  return { file, open, opened, rows }
}

interface People {
  readonly accounts: Account[]
  readonly sessions: Session[]
}

/** Each step changes something that readers see, through one of the stores. */
const STEPS_OF: ((store: Store, people: People, random: Random) => Promise<unknown>)[] = [
  (store, { sessions }, random) => {
    const session = random.pick(sessions)
    return rotateOnce(store, session.sessionId)
  },
  (store, { sessions }, random) => {
    const { accountId, sessionId } = random.pick(sessions)
    return store.endSession(accountId, sessionId, 'signed-out')
  },
  (store, { accounts }, random) => store.endSessions(random.pick(accounts).accountId, 'ended-by-user'),
  (store, { accounts }, random) =>
    store.changeAccount(random.pick(accounts).accountId, { firstName: unique('Name ї'), comment: null }),
  (store, { accounts }, random) =>
    store.changeAccount(random.pick(accounts).accountId, { status: random.pick([1, 2]) }),
  async (store, { accounts, sessions }, random) => {
    const account = await store.findAccount(random.pick(accounts).accountId)
    assert.ok(account !== null)
    if (account.status !== 1) return
    // The account may already have as many sessions as allowed; then others end.
    const application = await makeApplication(store, { parallelWindowSeconds: 0 })
    sessions.push(await signIn(store, account, application, { maxLiveSessions: 5 }))
  },
]

async function rotateOnce(store: Store, sessionId: string): Promise<void> {
  const view = await store.readSession(sessionId)
  assert.ok(view !== null)
  const { decision } = await store.refreshSession(refreshRequest(store, view.session))
  // `recovered` would mean that the store does not know a token that it handed out itself.
  if (decision.kind === 'advance') assert.equal(decision.recovered, false)
}

for (const memory of [undefined, 0]) {
  const bound = memory === undefined ? 'memory for all of it' : 'memory for nothing'
  test(`whatever two processes change, both read what the database says, with ${bound}`, async (t) => {
    const seed = givenSeed() ?? freshSeed()
    t.diagnostic(`DUKTIG_TEST_SEED=${seed}`)
    const random = createRandom(seed)
    const { open, opened } = await site(t, memory)
    const stores = [await opened(), await opened()] as const
    const application = await makeApplication(stores[0], { parallelWindowSeconds: 0 })
    const people: People = { accounts: [], sessions: [] }
    for (let i = 0; i < 8; i++) {
      const account = await makeAccount(stores[0])
      people.accounts.push(account)
      people.sessions.push(await signIn(stores[0], account, application))
    }
    for (let looks = 1; looks <= LOOKS; looks++) {
      // One store makes the changes, and the other has to notice them.
      const writer = random.pick(stores)
      for (let step = 1; step <= STEPS; step++) await random.pick(STEPS_OF)(writer, people, random)
      // A newly opened store has nothing in memory yet.
      const fresh = await open()
      for (const store of stores) await sameAnswers(store, fresh, people)
      await fresh.close()
    }
  })
}

async function sameAnswers(store: Store, fresh: Store, { accounts, sessions }: People): Promise<void> {
  for (const { sessionId } of sessions)
    assert.deepEqual(await store.readSession(sessionId), await fresh.readSession(sessionId))
  for (const { accountId } of accounts)
    assert.deepEqual(await store.findAccount(accountId), await fresh.findAccount(accountId))
}

test('what a transaction read that was undone is not taken for true', async (t) => {
  const { opened, rows } = await site(t)
  const store = await opened()
  const { account, session } = await signedIn(store, { parallelWindowSeconds: 0 })
  const broken = await signedIn(store, { parallelWindowSeconds: 0 })
  const before = await store.findAccount(account.accountId)
  const database = rows()
  database.exec(`create trigger broken before insert on rotations when new.session_id = '${broken.session.sessionId}'
    begin select raise(rollback, 'broken'); end`)
  // All in one turn of the event loop, and so in one transaction.
  const asked = [
    store.changeAccount(account.accountId, { firstName: 'Never' }),
    store.refreshSession(refreshRequest(store, session)),
    store.refreshSession(refreshRequest(store, broken.session)),
  ]
  const outcomes = await Promise.allSettled(asked)
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']))
  const view = await store.readSession(session.sessionId)
  assert.equal(view?.account?.firstName, account.firstName)
  assert.equal(view.session.generation, session.generation)
  assert.deepEqual(await store.findAccount(account.accountId), before)
})

test('a session that was last used by a clock that was ahead has one date of that, in memory and in the database', async (t) => {
  const { file, opened } = await site(t)
  const clock = createClock()
  const ahead = await openSqlite(file, { nowMs: () => clock.nowMs() + 3_600_000 })
  const { session } = await signedIn(ahead.store, { parallelWindowSeconds: 0 })
  await ahead.store.close()
  const [store, other] = [await opened(), await opened()]
  await rotateOnce(store, session.sessionId)
  const view = await store.readSession(session.sessionId)
  assert.equal(view?.session.lastUsedAtMs, session.lastUsedAtMs)
  assert.deepEqual(await other.readSession(session.sessionId), view)
})

test('what is removed is gone', async (t) => {
  const { opened, rows } = await site(t)
  const store = await opened()
  const { account, session } = await signedIn(store)
  assert.notEqual(await store.readSession(session.sessionId), null)
  const database = rows()
  database.prepare('update sessions set expires_at_ms = 1 where session_id = ?').run(session.sessionId)
  assert.equal((await store.readSession(session.sessionId))?.session.expiresAtMs, 1)
  assert.equal(await store.removeExpiredSessions(10), 1)
  assert.equal(await store.readSession(session.sessionId), null)
  database.exec(`pragma foreign_keys = off; delete from accounts where account_id = ${account.accountId}`)
  assert.equal(await store.findAccount(account.accountId), null)
})

test('a session that comes back from a long rest is read although it is no longer in memory', async (t) => {
  const { file } = await site(t)
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { store } = await openSqlite(file, createClock(), { longRunning: true })
  t.after(() => store.close())
  const { session } = await signedIn(store, { parallelWindowSeconds: 0 })
  await rotateOnce(store, session.sessionId)
  for (let minutes = 0; minutes < 60; minutes += 10) t.mock.timers.tick(10 * 60_000)
  await rotateOnce(store, session.sessionId)
  assert.equal((await store.readSession(session.sessionId))?.session.generation, 3)
})
