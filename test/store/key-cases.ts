import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { StoredKey } from '../../src/store/store.ts'
import {
  PROVE,
  type TestEngine,
  type TestStore,
  makeAccount,
  makeApplication,
  signIn,
  together,
  unique,
} from './engine.ts'

function newKey(algorithm: string, differs: Partial<StoredKey> = {}): StoredKey {
  return {
    kid: unique('kid-'),
    purpose: 'access',
    algorithm,
    sealed: new Uint8Array([0, 1, 127, 128, 255]),
    createdAtMs: 1_000,
    activeAtMs: 2_000,
    retireAtMs: null,
    ...differs,
  }
}

/** The drivers return bytes as objects of different classes. */
const plain = (keys: readonly StoredKey[]) => keys.map((key) => ({ ...key, sealed: [...key.sealed] }))

export function keyCases(engine: TestEngine): void {
  let own: TestStore | undefined
  const opened = () => own as TestStore
  before(async () => {
    own = await engine.open()
  })
  after(() => own?.close())
  const keysOf = async (algorithm: string) =>
    (await opened().store.listKeys()).filter((key) => key.algorithm === algorithm)

  test('keys come back as they were added, by the time they become active', async () => {
    const { store } = opened()
    const first = newKey('A', { activeAtMs: 9_000 })
    const second = newKey('A', { activeAtMs: 8_000, sealed: new Uint8Array() })
    await store.rotateKey(first, 10_000)
    await store.rotateKey(second, 20_000)
    assert.deepEqual(plain(await keysOf('A')), plain([second, { ...first, retireAtMs: 20_000 }]))
  })

  test('a refresh key does not retire before the last session has ended, whatever policies say now', async () => {
    const { store } = opened()
    const application = await makeApplication(store, { sessionTtlSeconds: 30 * 86_400 })
    const { expiresAtMs } = await signIn(store, await makeAccount(store), application)
    for (const [purpose, retireAtMs] of [
      ['refresh', expiresAtMs],
      ['access', 10_000],
    ] as const) {
      const algorithm = unique('long-')
      const old = newKey(algorithm, { purpose })
      await store.addFirstKey(old)
      await store.rotateKey(newKey(algorithm, { purpose }), 10_000)
      const stored = (await keysOf(algorithm)).find(({ kid }) => kid === old.kid)
      assert.equal(stored?.retireAtMs, retireAtMs)
    }
  })

  test('of instances that start together exactly one adds the first key, for each purpose and algorithm', async () => {
    const stores = [opened().store, await opened().another()] as const
    for (let round = 0; round < 3 * PROVE; round++) {
      const algorithm = unique('first-')
      await together(stores, 10, (store, i) =>
        store.addFirstKey(newKey(algorithm, { purpose: i % 4 < 2 ? 'access' : 'refresh' })),
      )
      const purposes = (await keysOf(algorithm)).map(({ purpose }) => purpose)
      assert.deepEqual(purposes.toSorted(), ['access', 'refresh'])
    }
  })

  test('a first key is added when all others retire', async () => {
    const { store } = opened()
    const retiring = newKey('B', { retireAtMs: 5_000 })
    await store.addFirstKey(retiring)
    const next = newKey('B', { activeAtMs: 3_000 })
    await store.addFirstKey(next)
    await store.addFirstKey(newKey('B'))
    assert.deepEqual(plain(await keysOf('B')), plain([retiring, next]))
  })

  test('a rotation retires the other keys of its purpose and algorithm only, and each once', async () => {
    const { store } = opened()
    const first = newKey('C')
    const refresh = newKey('C', { purpose: 'refresh' })
    await store.addFirstKey(first)
    await store.addFirstKey(refresh)
    const second = newKey('C')
    await store.rotateKey(second, 7_000)
    const third = newKey('C')
    await store.rotateKey(third, 8_000)
    const retireAt = Object.fromEntries((await keysOf('C')).map(({ kid, retireAtMs }) => [kid, retireAtMs]))
    assert.deepEqual(retireAt, {
      [first.kid]: 7_000,
      [refresh.kid]: null,
      [second.kid]: 8_000,
      [third.kid]: null,
    })
  })

  test('rotations at the same time leave one key that does not retire', async () => {
    const stores = [opened().store, await opened().another()] as const
    await together(stores, 10, (store) => store.rotateKey(newKey('D'), 9_000))
    const keys = await keysOf('D')
    assert.equal(keys.length, 10)
    assert.equal(keys.filter(({ retireAtMs }) => retireAtMs === null).length, 1)
  })

  test('only keys whose retirement has come are removed, and their ids are told', async () => {
    const { store } = opened()
    await store.removeRetiredKeys()
    const nowMs = store.clock.nowMs()
    const past = newKey('E', { retireAtMs: nowMs })
    const future = newKey('E', { retireAtMs: nowMs + 600_000 })
    const active = newKey('E')
    for (const key of [past, future, active]) await store.rotateKey(key, nowMs + 600_000)
    assert.deepEqual(await store.removeRetiredKeys(), [past.kid])
    assert.deepEqual(
      (await keysOf('E')).map(({ kid }) => kid),
      [future.kid, active.kid],
    )
    assert.deepEqual(await store.removeRetiredKeys(), [])
  })
}
