import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastUseGrainMs } from '../../src/core/session.ts'
import {
  type TestStore,
  age,
  makeAccount,
  makeApplication,
  signIn,
  signInRequest,
  signedIn,
  stored,
} from './engine.ts'

export function openSessionCases(shared: () => TestStore): void {
  test('a new session takes its times and its policy from the store, and ends on a whole second', async () => {
    const { store } = shared()
    const application = await makeApplication(store, { rotation: false, sessionTtlSeconds: 100 })
    const account = await makeAccount(store)
    const request = signInRequest(account, application)
    const outcome = await store.openSession(request)
    assert.ok(outcome.kind === 'opened')
    const nowMs = outcome.session.createdAtMs
    assert.ok(Math.abs(nowMs - store.clock.nowMs()) < 30_000)
    assert.deepEqual(outcome.session, {
      sessionId: request.sessionId,
      accountId: account.accountId,
      applicationId: application.applicationId,
      applicationEpoch: 1,
      rotation: false,
      generation: 1,
      rotatedAtMs: nowMs,
      handedOutAtMs: nowMs,
      kid: 'kid-0',
      attemptKey: null,
      repeats: 0,
      createdAtMs: nowMs,
      expiresAtMs: Math.floor(nowMs / 1000) * 1000 + 100_000,
      lastUsedAtMs: nowMs,
      endedAtMs: null,
      endReason: null,
    })
    assert.deepEqual(await stored(store, request.sessionId), outcome.session)
    assert.deepEqual(outcome.endedSessions, [])
    assert.deepEqual(outcome.account, { ...account, lastSignInAtMs: nowMs })
  })

  test('a sign-in tells the one before it and sets its own date', async () => {
    const { store } = shared()
    const application = await makeApplication(store)
    const account = await makeAccount(store)
    const first = await store.openSession(signInRequest(account, application))
    const second = await store.openSession(signInRequest(account, application))
    assert.ok(first.kind === 'opened' && second.kind === 'opened')
    assert.equal(first.previousSignInAtMs, null)
    assert.equal(second.previousSignInAtMs, first.session.createdAtMs)
    const after = await store.findAccount(account.accountId)
    assert.equal(after?.lastSignInAtMs, second.session.createdAtMs)
    assert.equal(after?.version, account.version)
    assert.equal(after?.updatedAtMs, null)
  })

  const changes: { name: string; change: (test: TestStore, accountId: number) => Promise<unknown> }[] = [
    {
      name: 'its password changed',
      change: ({ store }, id) => store.changeAccount(id, { passwordHash: 'new' }),
    },
    { name: 'it was suspended', change: ({ store }, id) => store.changeAccount(id, { status: 2 }) },
    {
      name: 'its sessions were ended',
      change: ({ store }, id) => store.endSessions(id, 'ended-by-administrator'),
    },
    {
      name: 'its status is no longer active though the version is the same',
      change: ({ sql }, id) => sql('update accounts set status = 0 where account_id = ?', id),
    },
    { name: 'it is gone', change: ({ sql }, id) => sql('delete from accounts where account_id = ?', id) },
  ]
  for (const { name, change } of changes) {
    test(`no session is opened for an account when ${name} since it was looked at`, async () => {
      const { store } = shared()
      const application = await makeApplication(store)
      const account = await makeAccount(store)
      await change(shared(), account.accountId)
      const before = await store.findAccount(account.accountId)
      const request = signInRequest(account, application)
      assert.deepEqual(await store.openSession(request), { kind: 'stale' })
      assert.equal(await store.readSession(request.sessionId), null)
      assert.deepEqual(await store.findAccount(account.accountId), before)
    })
  }

  test('no session is opened at an application that is disabled or gone', async () => {
    const { store } = shared()
    const application = await makeApplication(store)
    const account = await makeAccount(store)
    await store.changeApplication(application.applicationId, { disabled: true })
    assert.deepEqual(await store.openSession(signInRequest(account, application)), { kind: 'stale' })
    const unknown = { ...application, applicationId: 999_999 }
    assert.deepEqual(await store.openSession(signInRequest(account, unknown)), { kind: 'stale' })
    assert.equal((await store.findAccount(account.accountId))?.lastSignInAtMs, null)
  })

  test('above the cap of live sessions the longest unused ends', async () => {
    const { store } = shared()
    const { account, application, session: oldest } = await signedIn(store)
    const used = await signIn(store, account, application)
    const newer = await signIn(store, account, application)
    await age(shared(), oldest.sessionId, 300)
    await age(shared(), used.sessionId, 200)
    await age(shared(), newer.sessionId, 100)
    // Ended and expired sessions do not count towards the cap.
    const ended = await signIn(store, account, application)
    await store.endSession(account.accountId, ended.sessionId, 'signed-out')
    const expired = await signIn(store, account, application)
    await age(shared(), expired.sessionId, 90_000)

    const outcome = await store.openSession(signInRequest(account, application, { maxLiveSessions: 3 }))
    assert.ok(outcome.kind === 'opened')
    assert.deepEqual(outcome.endedSessions, [oldest.sessionId])
    assert.equal((await stored(store, oldest.sessionId)).endReason, 'session-limit')
    assert.ok((await stored(store, oldest.sessionId)).endedAtMs !== null)

    const last = await store.openSession(signInRequest(account, application, { maxLiveSessions: 1 }))
    assert.ok(last.kind === 'opened')
    const room = [used.sessionId, newer.sessionId, outcome.session.sessionId]
    assert.deepEqual(last.endedSessions.toSorted(), room.toSorted())
    assert.equal((await stored(store, ended.sessionId)).endReason, 'signed-out')
    assert.equal((await stored(store, expired.sessionId)).endedAtMs, null)
  })

  test('sessions that no application serves any more make room before living ones', async () => {
    const { store } = shared()
    const { account, application, session: living } = await signedIn(store)
    const disabled = await makeApplication(store)
    const impatient = await makeApplication(store, { idleSeconds: 600 })
    const dead = [await signIn(store, account, disabled), await signIn(store, account, impatient)]
    await store.changeApplication(disabled.applicationId, { disabled: true })
    for (const { sessionId } of dead) await age(shared(), sessionId, 700)
    await age(shared(), living.sessionId, 1000)

    const outcome = await store.openSession(signInRequest(account, application, { maxLiveSessions: 2 }))
    assert.ok(outcome.kind === 'opened')
    assert.deepEqual(outcome.endedSessions.toSorted(), dead.map(({ sessionId }) => sessionId).toSorted())
    assert.equal((await stored(store, living.sessionId)).endedAtMs, null)
  })

  for (const idleSeconds of [600, 2999, 6000]) {
    for (const isServed of [true, false]) {
      test(`a session with an idle limit of ${idleSeconds} s ${isServed ? 'keeps its place while it is served' : 'makes room first once it is not'}`, async () => {
        const { store } = shared()
        const { account, application, session: unused } = await signedIn(store)
        const limited = await signIn(store, account, await makeApplication(store, { idleSeconds }))
        // The use that is recorded may lag behind the real one.
        const servedSeconds = idleSeconds + lastUseGrainMs(idleSeconds) / 1000
        await age(shared(), limited.sessionId, servedSeconds + (isServed ? -10 : 10))
        await age(shared(), unused.sessionId, 10_000)
        const outcome = await store.openSession(signInRequest(account, application, { maxLiveSessions: 2 }))
        assert.ok(outcome.kind === 'opened')
        assert.deepEqual(outcome.endedSessions, [isServed ? unused.sessionId : limited.sessionId])
      })
    }
  }
}
