/** What must hold for simultaneous requests, on one instance and on two. `DUKTIG_PROVE` raises the number of rounds. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decideRefresh } from '../../src/core/refresh.ts'
import type { Session } from '../../src/core/session.ts'
import type { Decide, Store } from '../../src/store/store.ts'
import {
  PROVE,
  type TestEngine,
  type TestStore,
  age,
  liveSessions,
  makeAccount,
  makeApplication,
  refreshRequest,
  signInRequest,
  signedIn,
  stored,
  tally,
  together,
  until,
} from './engine.ts'

type Stores = readonly [Store, Store]

export function raceCases(engine: TestEngine): void {
  let own: TestStore | undefined
  let stores: Stores | undefined
  before(async () => {
    own = await engine.open()
    stores = [own.store, await own.another()]
  })
  after(() => own?.close())
  refreshRaces(
    () => own as TestStore,
    () => stores as Stores,
  )
  endRaces(() => stores as Stores)
  signInRaces(() => stores as Stores)
}

function refreshRaces(own: () => TestStore, stores: () => Stores): void {
  for (const withKey of [true, false]) {
    const what = withKey ? 'with its attempt key' : 'without attempt key'
    test(`of 64 parallel requests with one token, ${what}, exactly one makes a successor`, async () => {
      const [store] = stores()
      const { session: first } = await signedIn(store)
      let generation = 1
      for (let round = 1; round <= 5 * PROVE; round++) {
        await age(own(), first.sessionId, 30)
        const attemptKey = withKey ? `key-${round}` : null
        const outcomes = await together(stores(), 64, (each, i) =>
          each.refreshSession(
            refreshRequest(each, first, { generation, attemptKey, kid: `kid-${round}-${i}` }),
          ),
        )
        assert.deepEqual(tally(outcomes.map(({ decision }) => decision.kind)), { advance: 1, repeat: 63 })
        const tokens = outcomes.map(({ view }) => {
          const session = view?.session
          return `${session?.generation} ${session?.rotatedAtMs} ${session?.kid}`
        })
        assert.equal(new Set(tokens).size, 1)
        generation += 1
        const row = await stored(store, first.sessionId)
        assert.equal(row.generation, generation)
        assert.equal(row.repeats, withKey ? 63 : 0)
      }
    })
  }

  test('the bound on repeats by key holds exactly, however many ask at the same time', async () => {
    const [store] = stores()
    const { session } = await signedIn(store, { retryWindowSeconds: 1, parallelWindowSeconds: 1 })
    await age(own(), session.sessionId, 30)
    const request = (each: Store) => refreshRequest(each, session, { attemptKey: 'key' })
    assert.equal((await store.refreshSession(request(store))).decision.kind, 'advance')
    await age(own(), session.sessionId, 30)
    const outcomes = await together(stores(), 130, (each) => each.refreshSession(request(each)))
    // The 101st use of the key exceeds the bound, and the retry window is over too, so the session ends.
    assert.deepEqual(tally(outcomes.map(({ decision }) => decision.kind)), { repeat: 100, end: 1, deny: 29 })
  })
}

function endRaces(stores: () => Stores): void {
  const ends: { name: string; end: (store: Store, session: Session) => Promise<unknown> }[] = [
    {
      name: 'a session',
      end: (store, { accountId, sessionId }) => store.endSession(accountId, sessionId, 'signed-out'),
    },
    { name: 'all sessions', end: (store, { accountId }) => store.endSessions(accountId, 'ended-by-user') },
    {
      name: 'the sessions of an account that is suspended',
      end: (store, { accountId }) =>
        store.changeAccount(
          accountId,
          { status: 2 },
          { endSessions: { reason: 'suspended', exceptSessionId: null } },
        ),
    },
    {
      name: 'an account, leaving its sessions,',
      end: (store, { accountId }) => store.changeAccount(accountId, { status: 3 }),
    },
    {
      name: 'an application',
      end: (store, { applicationId }) => store.changeApplication(applicationId, { disabled: true }),
    },
  ]
  for (const { name, end } of ends) {
    test(`once the end of ${name} is acknowledged, no refresh that starts later succeeds`, async () => {
      for (let round = 0; round < 2 * PROVE; round++) {
        const [store, other] = stores()
        // Without a parallel window, each refresh writes.
        const { session } = await signedIn(store, { parallelWindowSeconds: 0 })
        const progress = { successes: 0, isEnded: false }
        const refreshUntilEnded = async (each: Store) => {
          for (;;) {
            const startedAfterEnd = progress.isEnded
            const { decision } = await each.refreshSession(
              refreshRequest(each, session, { decide: asIfCurrent }),
            )
            if (startedAfterEnd) return decision.kind
            if (decision.kind === 'advance') progress.successes += 1
          }
        }
        const storm = together([store, other], 16, refreshUntilEnded)
        await until(() => progress.successes >= 20, storm)
        await end(round % 2 === 0 ? store : other, session)
        progress.isEnded = true
        assert.deepEqual(tally(await storm), { deny: 16 })
      }
    })
  }
}

/** Decides as if the presented token were the current one, whatever has happened since it was sent. */
const asIfCurrent: Decide = (view, presented, nowMs) =>
  decideRefresh(view, { ...presented, generation: view.session.generation }, nowMs)

function signInRaces(stores: () => Stores): void {
  test('no sign-in that raced a change of the password survives it', async () => {
    const [store, other] = stores()
    const application = await makeApplication(store)
    for (let round = 0; round < 5 * PROVE; round++) {
      const account = await makeAccount(store)
      const endSessions = { reason: 'password-changed', exceptSessionId: null } as const
      const signIns = together([store, other], 12, (each) =>
        each.openSession(signInRequest(account, application)),
      )
      const change = other.changeAccount(account.accountId, { passwordHash: 'new' }, { endSessions })
      const [outcomes, changed] = await Promise.all([signIns, change])
      assert.ok(changed.kind === 'changed')
      assert.deepEqual(await liveSessions(store, account.accountId), [])
      const opened = outcomes.filter(({ kind }) => kind === 'opened')
      assert.equal(changed.endedSessions.length, opened.length)
    }
  })

  test('no sign-in that raced the end of all sessions survives it', async () => {
    const [store, other] = stores()
    const application = await makeApplication(store)
    for (let round = 0; round < 5 * PROVE; round++) {
      const account = await makeAccount(store)
      const signIns = together([store, other], 12, (each) =>
        each.openSession(signInRequest(account, application)),
      )
      await Promise.all([signIns, other.endSessions(account.accountId, 'ended-by-administrator')])
      assert.deepEqual(await liveSessions(store, account.accountId), [])
      const late = await store.openSession(signInRequest(account, application))
      assert.equal(late.kind, 'stale')
    }
  })

  test('no sign-in that raced the disabling of its application survives it', async () => {
    const [store, other] = stores()
    for (let round = 0; round < 3 * PROVE; round++) {
      const application = await makeApplication(store)
      const account = await makeAccount(store)
      const signIns = together([store, other], 12, (each) =>
        each.openSession(signInRequest(account, application)),
      )
      const disable = other.changeApplication(application.applicationId, { disabled: true })
      const [outcomes] = await Promise.all([signIns, disable])
      await store.changeApplication(application.applicationId, { disabled: false })
      for (const outcome of outcomes) {
        if (outcome.kind === 'stale') continue
        const { decision } = await store.refreshSession(refreshRequest(store, outcome.session))
        assert.deepEqual(decision, {
          kind: 'deny',
          denial: { denied: 'session-over', reason: 'application-disabled' },
        })
      }
    }
  })

  test('parallel sign-ins never leave more live sessions than the cap', async () => {
    const [store] = stores()
    const application = await makeApplication(store)
    for (let round = 0; round < 3 * PROVE; round++) {
      const account = await makeAccount(store)
      const outcomes = await together(stores(), 20, (each) =>
        each.openSession(signInRequest(account, application, { maxLiveSessions: 5 })),
      )
      assert.equal((await liveSessions(store, account.accountId)).length, 5)
      const ended = outcomes.flatMap((outcome) => (outcome.kind === 'opened' ? outcome.endedSessions : []))
      assert.equal(new Set(ended).size, 15)
      assert.equal(ended.length, 15)
    }
  })
}
