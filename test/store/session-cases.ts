import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type TestEngine,
  type TestStore,
  age,
  liveSessions,
  makeAccount,
  signIn,
  signedIn,
  stored,
  together,
} from './engine.ts'

export function sessionCases(engine: TestEngine, shared: () => TestStore): void {
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

function readingCases(shared: () => TestStore): void {
  test('a session is read with its whole account and its application as they are now', async () => {
    const { store } = shared()
    const { account, application, session } = await signedIn(store)
    const change = { firstName: 'Later', status: 2, phone: '+374 10 123456', comment: 'a comment' } as const
    await store.changeAccount(account.accountId, change)
    const changed = await store.findAccount(account.accountId)
    assert.deepEqual({ ...changed, ...change }, changed)
    await store.changeApplication(application.applicationId, { name: 'Later', disabled: true })
    assert.deepEqual(await store.readSession(session.sessionId), {
      session,
      account: changed,
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
    const shorter = await store.listSessions(account.accountId, 2)
    assert.deepEqual(shorter, [listed[0], listed[2]], 'the one that has ended makes room for an older one')
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

  test('what ended together is found by its moment, and all of them without', async () => {
    const { store } = shared()
    const { account, application, session: first } = await signedIn(store)
    const { accountId } = account
    const found = async (atMs: number | null) =>
      (await store.listEndedFor(accountId, 'ended-by-user', atMs)).map(({ sessionId }) => sessionId)
    assert.deepEqual(await found(null), [])
    await store.endSessions(accountId, 'ended-by-user')
    const firstEndMs = (await store.readSession(first.sessionId))?.session.endedAtMs as number
    const out = await signIn(store, account, application, { accountVersion: account.version + 1 })
    await store.endSession(accountId, out.sessionId, 'signed-out')
    const pair = [
      await signIn(store, account, application, { accountVersion: account.version + 1 }),
      await signIn(store, account, application, { accountVersion: account.version + 1 }),
    ].map(({ sessionId }) => sessionId)
    await later(store, firstEndMs)
    await store.endSessions(accountId, 'ended-by-user')
    assert.deepEqual(await found(firstEndMs), [first.sessionId])
    assert.deepEqual((await found(null)).toSorted(), [first.sessionId, ...pair].toSorted())
  })
}

/** Waits until the store's clock shows a later millisecond than `atMs`. */
async function later(store: TestStore['store'], atMs: number): Promise<void> {
  while (store.clock.nowMs() <= atMs) await new Promise((resolve) => setImmediate(resolve))
}
