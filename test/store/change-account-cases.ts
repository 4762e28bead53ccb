import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import type { AccountChange } from '../../src/core/account.ts'
import type { ChangeOptions, Store } from '../../src/store/store.ts'
import {
  PROVE,
  type TestEngine,
  type TestStore,
  liveSessions,
  makeAccount,
  makeApplication,
  signIn,
  stored,
  tally,
  unique,
} from './engine.ts'

async function changed(store: Store, accountId: number, change: AccountChange, options?: ChangeOptions) {
  const outcome = await store.changeAccount(accountId, change, options)
  assert.ok(outcome.kind === 'changed')
  return outcome
}

export function changeAccountCases(engine: TestEngine, shared: () => TestStore): void {
  test('only what is named changes, and the date of update is set', async () => {
    const { store } = shared()
    const account = await makeAccount(store, { comment: 'old', passwordHash: 'kept' })
    const beforeMs = store.clock.nowMs()
    const { account: after } = await changed(store, account.accountId, { firstName: 'Berta', comment: null })
    assert.ok(after.updatedAtMs !== null && after.updatedAtMs >= beforeMs)
    assert.deepEqual(after, { ...account, firstName: 'Berta', comment: null, updatedAtMs: after.updatedAtMs })
    assert.deepEqual(await store.findAccountWithPassword(account.accountId), {
      ...after,
      passwordHash: 'kept',
    })
  })

  test('every field can be changed', async () => {
    const { store } = shared()
    const account = await makeAccount(store)
    const change = {
      firstName: 'C',
      lastName: 'D',
      email: `${unique('new')}@Example.com`,
      phone: '1',
      comment: 'c',
      roleId: 2,
      status: 2,
      passwordHash: 'new',
    } as const
    const { account: after } = await changed(store, account.accountId, change)
    const { passwordHash, ...rest } = change
    assert.deepEqual(after, { ...account, ...rest, version: 2, updatedAtMs: after.updatedAtMs })
    assert.deepEqual(await store.findAccountByEmail(change.email.toUpperCase()), { ...after, passwordHash })
    assert.equal(await store.findAccountByEmail(account.email), null)
  })

  test('an account that does not exist is unknown', async () => {
    assert.deepEqual(await shared().store.changeAccount(999_999_999, { firstName: 'x' }), { kind: 'unknown' })
  })

  test('a terminated account is not changed any more', async () => {
    const { store } = shared()
    const { accountId } = await makeAccount(store, { status: 3 })
    const before = await store.findAccount(accountId)
    assert.deepEqual(await store.changeAccount(accountId, { status: 1 }), { kind: 'terminated' })
    assert.deepEqual(await store.findAccount(accountId), before)
  })

  test("another account's e-mail address is refused in any case, and nothing of the change happens", async () => {
    const { store } = shared()
    const application = await makeApplication(store)
    const [taken, account] = [await makeAccount(store), await makeAccount(store)]
    const { sessionId } = await signIn(store, account, application)
    const change = { email: taken.email.toUpperCase(), firstName: 'never' }
    const endSessions = { reason: 'suspended', exceptSessionId: null } as const
    assert.deepEqual(await store.changeAccount(account.accountId, change, { endSessions }), {
      kind: 'email-taken',
    })
    assert.equal((await store.findAccount(account.accountId))?.firstName, account.firstName)
    assert.equal((await stored(store, sessionId)).endedAtMs, null)
  })

  test('the own e-mail address may be written differently', async () => {
    const { store } = shared()
    const { accountId, email } = await makeAccount(store)
    const { account } = await changed(store, accountId, { email: email.toUpperCase() })
    assert.equal(account.email, email.toUpperCase())
  })

  test('password and status raise the version, other changes and silent ones do not', async () => {
    const { store } = shared()
    const { accountId } = await makeAccount(store)
    const version = async (change: AccountChange, options?: ChangeOptions) =>
      (await changed(store, accountId, change, options)).account.version
    assert.equal(await version({ firstName: 'x', roleId: 2 }), 1)
    assert.equal(await version({ status: 1 }), 1)
    assert.equal(await version({ passwordHash: 'second' }), 2)
    assert.equal(await version({ status: 2 }), 3)
    assert.equal(await version({ status: 1, passwordHash: 'third' }), 4)
    assert.equal(await version({ passwordHash: 'better' }, { silent: true }), 4)
    assert.equal((await store.findAccountWithPassword(accountId))?.passwordHash, 'better')
  })

  test('a silent change leaves the date of update alone', async () => {
    const { store } = shared()
    const { accountId } = await makeAccount(store)
    const { account } = await changed(store, accountId, { passwordHash: 'better' }, { silent: true })
    assert.equal(account.updatedAtMs, null)
  })

  test('a change of another version is a conflict, and of two at once for one version one succeeds', async () => {
    const { store, another } = shared()
    const other = await another()
    const { accountId } = await makeAccount(store)
    assert.deepEqual(await store.changeAccount(accountId, { firstName: 'x' }, { ifVersion: 2 }), {
      kind: 'conflict',
    })
    for (let version = 1; version <= 3 * PROVE; version++) {
      const outcomes = await Promise.all(
        [store, other].map((s) =>
          s.changeAccount(accountId, { passwordHash: unique('h') }, { ifVersion: version }),
        ),
      )
      assert.deepEqual(tally(outcomes.map(({ kind }) => kind)), { changed: 1, conflict: 1 })
    }
  })

  test('different changes at the same time are all kept', async () => {
    const [store, other] = [shared().store, await shared().another()]
    for (let round = 1; round <= 3 * PROVE; round++) {
      const { accountId } = await makeAccount(store)
      await Promise.all([
        store.changeAccount(accountId, { firstName: 'Changed' }),
        other.changeAccount(accountId, { phone: '1' }),
        store.changeAccount(accountId, { status: 2 }),
        other.changeAccount(accountId, { passwordHash: 'new' }),
      ])
      const account = await store.findAccountWithPassword(accountId)
      const { firstName, phone, status, passwordHash, version } = account ?? {}
      assert.deepEqual([firstName, phone, status, passwordHash, version], ['Changed', '1', 2, 'new', 3])
    }
  })

  test('sessions end with the change, all but the one that is named, and their ids are told', async () => {
    const { store } = shared()
    const application = await makeApplication(store)
    const [account, stranger] = [await makeAccount(store), await makeAccount(store)]
    const sessions = []
    for (let i = 0; i < 3; i++) sessions.push((await signIn(store, account, application)).sessionId)
    const [kept = '', gone = '', endedBefore = ''] = sessions
    const elsewhere = await signIn(store, stranger, application)
    await store.endSession(account.accountId, endedBefore, 'signed-out')

    const except = { reason: 'password-changed', exceptSessionId: kept } as const
    const first = await changed(store, account.accountId, { passwordHash: 'new' }, { endSessions: except })
    assert.deepEqual(first.endedSessions, [gone])
    assert.equal((await stored(store, gone)).endReason, 'password-changed')
    assert.equal((await stored(store, endedBefore)).endReason, 'signed-out')
    assert.equal((await stored(store, kept)).endedAtMs, null)

    const all = { reason: 'suspended', exceptSessionId: null } as const
    const second = await changed(store, account.accountId, { status: 2 }, { endSessions: all })
    assert.deepEqual(second.endedSessions, [kept])
    assert.deepEqual(await liveSessions(store, account.accountId), [])
    assert.equal((await stored(store, elsewhere.sessionId)).endedAtMs, null)
  })

  test('the last active super admin stays one', async () => {
    const own = await engine.open()
    try {
      const { store } = own
      const admin = await makeAccount(store, { roleId: 1 })
      await makeAccount(store, { roleId: 1, status: 2 })
      const refused = { kind: 'last-super-admin' }
      assert.deepEqual(await store.changeAccount(admin.accountId, { roleId: 2 }), refused)
      assert.deepEqual(await store.changeAccount(admin.accountId, { status: 2 }), refused)
      assert.deepEqual(await store.changeAccount(admin.accountId, { status: 3 }), refused)
      assert.deepEqual(await store.findAccount(admin.accountId), admin)
      await changed(store, admin.accountId, { roleId: 1, status: 1, firstName: 'still' })
      await makeAccount(store, { roleId: 1 })
      await changed(store, admin.accountId, { roleId: 2 })
    } finally {
      await own.close()
    }
  })

  test('of the last two super admins who are demoted at the same time one stays', async () => {
    const own = await engine.open()
    try {
      const stores = [own.store, await own.another()] as const
      const pair: Account[] = []
      for (const store of stores) pair.push(await makeAccount(store, { roleId: 1 }))
      for (let round = 0; round < 10 * PROVE; round++) {
        const outcomes = await Promise.all(
          pair.map(({ accountId }, i) => (stores[i] as Store).changeAccount(accountId, { roleId: 2 })),
        )
        assert.deepEqual(tally(outcomes.map(({ kind }) => kind)), { changed: 1, 'last-super-admin': 1 })
        for (const { accountId } of pair) await changed(own.store, accountId, { roleId: 1 })
      }
    } finally {
      await own.close()
    }
  })
}
