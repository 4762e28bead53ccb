import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import {
  PROVE,
  type TestEngine,
  type TestStore,
  makeAccount,
  newAccount,
  tally,
  together,
  unique,
} from './engine.ts'

export function accountCases(engine: TestEngine, shared: () => TestStore): void {
  test('an account comes back as it was registered, with its id and date', async () => {
    const { store } = shared()
    const given = newAccount({ comment: 'a comment', roleId: 3, status: 0 })
    const beforeMs = store.clock.nowMs()
    const account = await makeAccount(store, given)
    const { passwordHash, ...rest } = given
    assert.ok(account.registeredAtMs >= beforeMs && account.registeredAtMs <= store.clock.nowMs())
    assert.deepEqual(account, {
      ...rest,
      accountId: account.accountId,
      pinCode: null,
      version: 1,
      registeredAtMs: account.registeredAtMs,
      updatedAtMs: null,
      lastSignInAtMs: null,
    })
    assert.deepEqual(await store.findAccount(account.accountId), account)
    assert.deepEqual(await store.findAccountWithPassword(account.accountId), { ...account, passwordHash })
  })

  test('an account is found by its e-mail address in any case', async () => {
    const { store } = shared()
    const name = unique('Person')
    const account = await makeAccount(store, { email: `${name}@Example.com`, passwordHash: 'secret' })
    const found = await store.findAccountByEmail(`${name.toUpperCase()}@EXAMPLE.COM`)
    assert.deepEqual(found, { ...account, passwordHash: 'secret' })
    assert.equal(found?.email, `${name}@Example.com`)
  })

  test('who does not exist is not found', async () => {
    const { store } = shared()
    assert.equal(await store.findAccount(999_999_999), null)
    assert.equal(await store.findAccountWithPassword(999_999_999), null)
    assert.equal(await store.findAccountByEmail('nobody@example.com'), null)
  })

  test('an e-mail address is taken in any case', async () => {
    const { store } = shared()
    const { email } = await makeAccount(store)
    assert.equal(await store.createAccount(newAccount({ email: email.toUpperCase() })), 'email-taken')
  })

  test('of many who register one address at the same time exactly one gets it', async () => {
    const stores = [shared().store, await shared().another()] as const
    for (let round = 0; round < 3 * PROVE; round++) {
      const name = unique('rush')
      const outcomes = await together(stores, 16, (store, i) =>
        store.createAccount(newAccount({ email: `${i % 3 === 0 ? name : name.toUpperCase()}@example.com` })),
      )
      const kinds = tally(outcomes.map((outcome) => (outcome === 'email-taken' ? outcome : 'created')))
      assert.deepEqual(kinds, { created: 1, 'email-taken': 15 })
    }
  })

  test('ids are never given out twice, whatever was refused in between', async () => {
    const stores = [shared().store, await shared().another()] as const
    const { email } = await makeAccount(stores[0])
    const outcomes = await together(stores, 40, (store, i) =>
      store.createAccount(i % 4 === 0 ? newAccount({ email }) : newAccount()),
    )
    const ids = outcomes.filter((outcome) => outcome !== 'email-taken').map(({ accountId }) => accountId)
    assert.equal(ids.length, 30)
    assert.equal(new Set(ids).size, 30)
  })

  test('an id is not given out again after its account is gone', async () => {
    const { store, sql } = shared()
    const { accountId } = await makeAccount(store)
    await sql('delete from accounts where account_id = ?', accountId)
    assert.ok((await makeAccount(store)).accountId > accountId)
  })

  test('accounts are listed by id, in pages', async () => {
    const own = await engine.open()
    try {
      const accounts: Account[] = []
      for (let i = 0; i < 5; i++) accounts.push(await makeAccount(own.store))
      assert.deepEqual(await own.store.listAccounts(0, 100), accounts)
      assert.deepEqual(await own.store.listAccounts(1, 2), accounts.slice(1, 3))
      assert.deepEqual(await own.store.listAccounts(5, 2), [])
    } finally {
      await own.close()
    }
  })
}
