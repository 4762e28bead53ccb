import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type TestEngine,
  type TestStore,
  age,
  liveSessions,
  makeAccount,
  makeApplication,
  signIn,
  signInRequest,
  signedIn,
  stored,
  together,
} from './engine.ts'

export function sessionCases(engine: TestEngine, shared: () => TestStore): void {
  openingCases(shared)
  readingCases(shared)
  endingCases(shared)

  test('the clean-up removes only sessions past their absolute end, at most so many at a time', async () => {
    const own = await engine.open()
    try {
      const { store, sql } = own
      const { account, application, session: live } = await signedIn(store, { sessionTtlSeconds: 3600 })
      const ended = await signIn(store, account, application)
      await store.endSession(account.accountId, ended.sessionId, 'signed-out')
      for (let i = 0; i < 5; i++)
        await age(own, (await signIn(store, account, application)).sessionId, 3600 + i)
      assert.equal(await store.removeExpiredSessions(2), 2)
      assert.equal(await store.removeExpiredSessions(2), 2)
      assert.equal(await store.removeExpiredSessions(2), 1)
      assert.equal(await store.removeExpiredSessions(2), 0)
      const left = [live.sessionId, ended.sessionId].toSorted()
      const ids = async (table: string) =>
        (await sql(`select session_id from ${table} order by session_id`)).map(([id]) => id)
      assert.deepEqual(await ids('sessions'), left)
      assert.deepEqual(await ids('session_devices'), left)
    } finally {
      await own.close()
    }
  })

  test('instances that clean up at the same time remove each session once', async () => {
    const own = await engine.open()
    try {
      const { store } = own
      const { account, application } = await signedIn(store, { sessionTtlSeconds: 3600 })
      for (let i = 0; i < 20; i++) await age(own, (await signIn(store, account, application)).sessionId, 4000)
      const removed = await together([store, await own.another()], 6, (s) => s.removeExpiredSessions(10))
      assert.ok(removed.every((count) => count <= 10))
      const rest = await store.removeExpiredSessions(100)
      assert.equal(removed.reduce((a, b) => a + b) + rest, 20)
    } finally {
      await own.close()
    }
  })
}

function openingCases(shared: () => TestStore): void {
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
      scope: null,
      audience: null,
      jkt: null,
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
    // Ended and expired ones take no room.
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
}

function readingCases(shared: () => TestStore): void {
  test('a session is read with its account and application as they are now', async () => {
    const { store } = shared()
    const { account, application, session } = await signedIn(store)
    await store.changeAccount(account.accountId, { firstName: 'Later', status: 2 })
    await store.changeApplication(application.applicationId, { name: 'Later', disabled: true })
    assert.deepEqual(await store.readSession(session.sessionId), {
      session,
      account: {
        accountId: account.accountId,
        firstName: 'Later',
        lastName: account.lastName,
        email: account.email,
        roleId: 4,
        status: 2,
      },
      application: { ...application, name: 'Later', disabled: true, epoch: 2 },
    })
    assert.equal(await store.readSession('no such session'), null)
  })

  test('a session whose account is gone has none', async () => {
    const { store, sql } = shared()
    const { account, session } = await signedIn(store)
    await sql('delete from accounts where account_id = ?', account.accountId)
    const view = await store.readSession(session.sessionId)
    assert.equal(view?.account, null)
    assert.deepEqual(view?.session, session)
  })

  test('many sessions read at once are each the right one', async () => {
    const { store } = shared()
    const { account, application } = await signedIn(store)
    const ids: string[] = []
    for (let i = 0; i < 10; i++) ids.push((await signIn(store, account, application)).sessionId)
    const asked = [...ids, ...ids.toReversed(), 'unknown']
    const views = await Promise.all(asked.map((id) => store.readSession(id)))
    assert.deepEqual(
      views.map((view) => view?.session.sessionId ?? 'unknown'),
      asked,
    )
  })

  test('sessions of an account are listed newest first, ended ones too, with what is known of the device', async () => {
    const { store } = shared()
    const { account, application, session: first } = await signedIn(store)
    const device = { address: '2001:db8::1', userAgent: null, deviceId: 'phone' }
    const second = await signIn(store, account, application, { amr: ['pwd', 'otp'], device })
    const third = await signIn(store, account, application)
    await age(shared(), first.sessionId, 20)
    await age(shared(), second.sessionId, 10)
    await store.endSession(account.accountId, second.sessionId, 'signed-out')
    await signedIn(store)
    const listed = await store.listSessions(account.accountId, 100)
    assert.deepEqual(
      listed.map(({ sessionId }) => sessionId),
      [third.sessionId, second.sessionId, first.sessionId],
    )
    assert.deepEqual(listed[0], {
      ...third,
      amr: ['pwd'],
      address: '192.0.2.1',
      userAgent: 'Agent/1',
      deviceId: null,
    })
    assert.deepEqual(listed[1], {
      ...(await stored(store, second.sessionId)),
      amr: ['pwd', 'otp'],
      ...device,
    })
    assert.equal(listed[1]?.endReason, 'signed-out')
    assert.deepEqual(await store.listSessions(account.accountId, 2), listed.slice(0, 2))
    assert.deepEqual(await store.listSessions(999_999_999, 10), [])
  })
}

function endingCases(shared: () => TestStore): void {
  test('a session is ended once, and its first reason stays', async () => {
    const { store } = shared()
    const { account, session } = await signedIn(store)
    assert.equal(await store.endSession(account.accountId, session.sessionId, 'signed-out'), true)
    const { endedAtMs, endReason } = await stored(store, session.sessionId)
    assert.ok(endedAtMs !== null && endedAtMs >= session.createdAtMs)
    assert.equal(endReason, 'signed-out')
    assert.equal(await store.endSession(account.accountId, session.sessionId, 'suspended'), false)
    assert.deepEqual(await stored(store, session.sessionId), { ...session, endedAtMs, endReason })
  })

  test("neither another account's session nor an unknown one can be ended", async () => {
    const { store } = shared()
    const { session } = await signedIn(store)
    const stranger = await makeAccount(store)
    assert.equal(await store.endSession(stranger.accountId, session.sessionId, 'signed-out'), false)
    assert.equal(await store.endSession(stranger.accountId, 'unknown', 'signed-out'), false)
    assert.equal((await stored(store, session.sessionId)).endedAtMs, null)
  })

  test('of many who end one session at the same time exactly one did it', async () => {
    const { account, session } = await signedIn(shared().store)
    const stores = [shared().store, await shared().another()] as const
    const ended = await together(stores, 10, (store) =>
      store.endSession(account.accountId, session.sessionId, 'signed-out'),
    )
    assert.equal(ended.filter(Boolean).length, 1)
  })

  test('ending all sessions of an account tells the ids of those that were live, and of nobody else', async () => {
    const { store } = shared()
    const { account, application, session: first } = await signedIn(store)
    const second = await signIn(store, account, application)
    const before = await signIn(store, account, application)
    await store.endSession(account.accountId, before.sessionId, 'signed-out')
    const { session: other } = await signedIn(store)
    const ended = await store.endSessions(account.accountId, 'ended-by-user')
    assert.deepEqual(ended.toSorted(), [first.sessionId, second.sessionId].toSorted())
    assert.equal((await stored(store, first.sessionId)).endReason, 'ended-by-user')
    assert.equal((await stored(store, before.sessionId)).endReason, 'signed-out')
    assert.deepEqual(await store.endSessions(account.accountId, 'ended-by-user'), [])
    assert.deepEqual(await liveSessions(store, account.accountId), [])
    assert.equal((await stored(store, other.sessionId)).endedAtMs, null)
  })
}
