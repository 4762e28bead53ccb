import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import type { ImportedAccount } from '../../src/store/store.ts'
import { PROVE, type TestEngine, type TestStore, makeAccount, newAccount } from './engine.ts'

function imported(differs: Partial<ImportedAccount> = {}): ImportedAccount {
  return {
    ...newAccount(),
    accountId: null,
    registeredAtMs: null,
    updatedAtMs: null,
    lastSignInAtMs: null,
    ...differs,
  }
}

export function importCases(engine: TestEngine, shared: () => TestStore): void {
  const alone = (work: (own: TestStore) => Promise<void>) => async () => {
    const own = await engine.open()
    try {
      await work(own)
    } finally {
      await own.close()
    }
  }

  test(
    'accounts keep the ids and dates they had, and get new ones where they had none',
    alone(async ({ store }) => {
      const dates = { registeredAtMs: 1_000, updatedAtMs: 2_000, lastSignInAtMs: 3_000 }
      const given = imported({ accountId: 700, ...dates, comment: 'from "elsewhere", \\ {with} signs' })
      const beforeMs = store.clock.nowMs()
      assert.deepEqual(await store.importAccounts([given, imported()]), { kind: 'imported', count: 2 })
      const [first, second] = await store.listAccounts(0, 10)
      const { passwordHash, ...rest } = given
      assert.deepEqual(first, { ...rest, pinCode: null, version: 1 })
      assert.equal((await store.findAccountWithPassword(700))?.passwordHash, passwordHash)
      assert.ok((second?.accountId ?? 0) > 700)
      assert.ok((second?.registeredAtMs ?? 0) >= beforeMs)
      assert.equal(second?.updatedAtMs, null)
    }),
  )

  test(
    'who has no id gets one behind all that are given, whatever the order',
    alone(async ({ store }) => {
      const accounts = [imported(), imported({ accountId: 1 }), imported({ accountId: 30 })]
      assert.deepEqual(await store.importAccounts(accounts), { kind: 'imported', count: 3 })
      const ids = (await store.listAccounts(0, 10)).map(({ accountId }) => accountId)
      assert.deepEqual(ids, [1, 30, 31])
    }),
  )

  test(
    'a registration after an import gets a greater id than any imported account',
    alone(async ({ store }) => {
      await makeAccount(store)
      await store.importAccounts([imported({ accountId: 5000 }), imported({ accountId: 40 })])
      assert.ok((await makeAccount(store)).accountId > 5000)
    }),
  )

  test(
    'registrations during an import never collide with it',
    alone(async ({ store, another }) => {
      const other = await another()
      const accounts = Array.from({ length: 300 }, (_, i) => imported({ accountId: 101 + i }))
      const [outcome, ...registered] = await Promise.all([
        store.importAccounts(accounts),
        ...Array.from({ length: 60 }, () => makeAccount(other)),
      ])
      assert.equal(outcome.kind, 'imported')
      const ids = [
        ...registered.map(({ accountId }) => accountId),
        ...accounts.map(({ accountId }) => accountId),
      ]
      assert.equal(new Set(ids).size, 360)
      assert.equal((await store.listAccounts(0, 1000)).length, 360)
    }),
  )

  test(
    'ids that are imported just ahead of registrations are never given out twice',
    alone(async ({ store, another }) => {
      const other = await another()
      for (let round = 0; round < 10 * PROVE; round++) {
        const { accountId: last } = await makeAccount(store)
        const [outcome, ...registered] = await Promise.all([
          store.importAccounts([imported({ accountId: last + 1 + (round % 8) })]),
          ...Array.from({ length: 12 }, (_, i) => makeAccount(i % 2 === 0 ? store : other)),
        ])
        const ids = registered.map(({ accountId }) => accountId)
        if (outcome.kind === 'imported') ids.push(last + 1 + (round % 8))
        assert.equal(new Set(ids).size, ids.length)
      }
    }),
  )

  test('nothing to import is imported', async () => {
    assert.deepEqual(await shared().store.importAccounts([]), { kind: 'imported', count: 0 })
  })

  describe('all or none', () => refusalCases(engine))
}

const count = 2500
const existing = newAccount({ email: 'Existing@Example.com' })
const refusals: {
  name: string
  change: (accounts: ImportedAccount[]) => void
  index: number
  why: string
}[] = [
  {
    name: 'an e-mail address that an account has already, in another case',
    change: (accounts) => accounts.splice(2100, 1, imported({ email: 'EXISTING@example.COM' })),
    index: 2100,
    why: 'email-taken',
  },
  {
    name: 'an e-mail address that comes twice',
    change: (accounts) =>
      accounts.splice(1700, 1, imported({ email: accounts[3]?.email.toUpperCase() ?? '' })),
    index: 1700,
    why: 'email-taken',
  },
  {
    name: 'an id that an account has already',
    change: (accounts) => accounts.splice(1000, 1, imported({ accountId: 1 })),
    index: 1000,
    why: 'id-taken',
  },
  {
    name: 'an id that comes twice, side by side',
    change: (accounts) =>
      accounts.splice(10, 2, imported({ accountId: 9000 }), imported({ accountId: 9000 })),
    index: 11,
    why: 'id-taken',
  },
  {
    name: 'two mistakes, of which the first is told',
    change: (accounts) => {
      accounts.splice(1500, 1, imported({ email: accounts[0]?.email ?? '' }))
      accounts.splice(1400, 1, imported({ email: 'existing@example.com' }))
    },
    index: 1400,
    why: 'email-taken',
  },
  {
    name: 'two mistakes the other way round',
    change: (accounts) => {
      accounts.splice(1400, 1, imported({ email: accounts[0]?.email ?? '' }))
      accounts.splice(1500, 1, imported({ email: 'existing@example.com' }))
    },
    index: 1400,
    why: 'email-taken',
  },
]

function refusalCases(engine: TestEngine): void {
  let own: TestStore | undefined
  let first: Account | undefined
  before(async () => {
    own = await engine.open()
    first = await makeAccount(own.store, existing)
    assert.equal(first.accountId, 1)
  })
  after(() => own?.close())
  for (const { name, change, index, why } of refusals) {
    test(`${name} refuses the whole import, and it is said which account it was`, async () => {
      const { store } = own as TestStore
      const accounts = Array.from({ length: count }, () => imported())
      change(accounts)
      assert.deepEqual(await store.importAccounts(accounts), { kind: 'refused', index, why })
      assert.deepEqual(await store.listAccounts(0, 10_000), [first])
    })
  }
}
