import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Application } from '../../src/core/application.ts'
import {
  PROVE,
  type TestEngine,
  type TestStore,
  makeApplication,
  newApplication,
  refreshRequest,
  signedIn,
  tally,
  together,
  unique,
} from './engine.ts'

export function applicationCases(engine: TestEngine, shared: () => TestStore): void {
  keyCases(shared)
  defaultCases(engine)

  test('an application comes back as it was created', async () => {
    const { store } = shared()
    const given = newApplication({
      type: 'public',
      trustedBackend: true,
      rotation: false,
      requireKeyOnRefresh: true,
    })
    const created = (await store.createApplication(given, null)) as Application
    assert.deepEqual(created, { ...given, applicationId: created.applicationId, disabled: false, epoch: 1 })
    assert.deepEqual(await store.findApplication(created.applicationId), created)
    assert.equal(await store.findApplication(999_999), null)
  })

  test('a client id is taken once, and the refused application leaves no key behind', async () => {
    const { store } = shared()
    const { clientId } = await makeApplication(store)
    const keyHash = unique('key-')
    assert.equal(await store.createApplication(newApplication({ clientId }), keyHash), 'client-id-taken')
    assert.equal(await store.findApplicationByKey(keyHash), null)
  })

  test('of many who create one client id at the same time exactly one does', async () => {
    const stores = [shared().store, await shared().another()] as const
    const clientId = unique('rush-')
    const outcomes = await together(stores, 8, (store) =>
      store.createApplication(newApplication({ clientId }), null),
    )
    const kinds = outcomes.map((outcome) => (outcome === 'client-id-taken' ? outcome : 'created'))
    assert.deepEqual(tally(kinds), { created: 1, 'client-id-taken': 7 })
  })

  test('only what is named of an application changes', async () => {
    const { store } = shared()
    const before = await makeApplication(store)
    const change = { name: 'Renamed', rotation: false, idleSeconds: 60, trustedBackend: true }
    const after = await store.changeApplication(before.applicationId, change)
    assert.deepEqual(after, { ...before, ...change })
    assert.deepEqual(await store.findApplication(before.applicationId), after)
    assert.equal(await store.changeApplication(999_999, { name: 'x' }), null)
  })

  test('different changes of an application at the same time are all kept', async () => {
    const [store, other] = [shared().store, await shared().another()]
    for (let round = 1; round <= 3 * PROVE; round++) {
      const { applicationId } = await makeApplication(store)
      await Promise.all([
        store.changeApplication(applicationId, { name: 'Renamed' }),
        other.changeApplication(applicationId, { idleSeconds: 60 }),
        store.changeApplication(applicationId, { rotation: false }),
        other.changeApplication(applicationId, { disabled: true }),
      ])
      const { name, idleSeconds, rotation, disabled } = (await store.findApplication(
        applicationId,
      )) as Application
      assert.deepEqual([name, idleSeconds, rotation, disabled], ['Renamed', 60, false, true])
    }
  })

  test('disabling raises the epoch once, enabling does not', async () => {
    const { store } = shared()
    const { applicationId } = await makeApplication(store)
    const epoch = async (disabled: boolean) =>
      (await store.changeApplication(applicationId, { disabled }))?.epoch
    assert.equal(await epoch(false), 1)
    assert.equal(await epoch(true), 2)
    assert.equal(await epoch(true), 2)
    assert.equal(await epoch(false), 2)
    assert.equal(await epoch(true), 3)
  })

  test('of many who disable an application at the same time one raises the epoch', async () => {
    const stores = [shared().store, await shared().another()] as const
    const { applicationId } = await makeApplication(stores[0])
    await together(stores, 8, (store) => store.changeApplication(applicationId, { disabled: true }))
    assert.equal((await stores[0].findApplication(applicationId))?.epoch, 2)
  })

  test('disabling ends the sessions for good, also when the application is enabled again', async () => {
    const { store } = shared()
    const { application, session } = await signedIn(store)
    await store.changeApplication(application.applicationId, { disabled: true })
    await store.changeApplication(application.applicationId, { disabled: false })
    const { decision } = await store.refreshSession(refreshRequest(store, session))
    assert.deepEqual(decision, {
      kind: 'deny',
      denial: { denied: 'session-over', reason: 'application-disabled' },
    })
  })
}

function keyCases(shared: () => TestStore): void {
  test('a key opens its application, disabled or not, and an unknown key none', async () => {
    const { store } = shared()
    const keyHash = unique('key-')
    const application = (await store.createApplication(newApplication(), keyHash)) as Application
    assert.deepEqual(await store.findApplicationByKey(keyHash), application)
    const disabled = await store.changeApplication(application.applicationId, { disabled: true })
    assert.deepEqual(await store.findApplicationByKey(keyHash), disabled)
    assert.equal(await store.findApplicationByKey(unique('key-')), null)
  })

  test('an added key stands beside the others', async () => {
    const { store } = shared()
    const [first, second] = [unique('key-'), unique('key-')]
    const { applicationId } = (await store.createApplication(newApplication(), first)) as Application
    await store.addApplicationKey(applicationId, second, null)
    for (const key of [first, second]) {
      assert.equal((await store.findApplicationByKey(key))?.applicationId, applicationId)
    }
  })

  test('the other keys of an application end when the new key says, unless they end before', async () => {
    const { store, sql } = shared()
    const [first, second, third, other] = [unique('key-'), unique('key-'), unique('key-'), unique('key-')]
    const { applicationId } = (await store.createApplication(newApplication(), first)) as Application
    await store.createApplication(newApplication(), other)
    const expiries = () =>
      sql('select key_hash, expires_at_ms from application_keys where application_id = ?', applicationId)
    const soonMs = store.clock.nowMs() + 60_000
    await store.addApplicationKey(applicationId, second, soonMs)
    assert.deepEqual(
      new Map((await expiries()) as [string, number | null][]),
      new Map([
        [first, soonMs],
        [second, null],
      ]),
    )
    await store.addApplicationKey(applicationId, third, soonMs + 5_000)
    assert.deepEqual(
      new Map((await expiries()) as [string, number | null][]),
      new Map([
        [first, soonMs],
        [second, soonMs + 5_000],
        [third, null],
      ]),
    )
    assert.ok((await store.findApplicationByKey(first)) !== null)
    assert.ok((await store.findApplicationByKey(other)) !== null)
  })

  test('an expired key opens nothing', async () => {
    const { store } = shared()
    const [old, fresh] = [unique('key-'), unique('key-')]
    const { applicationId } = (await store.createApplication(newApplication(), old)) as Application
    await store.addApplicationKey(applicationId, fresh, store.clock.nowMs())
    assert.equal(await store.findApplicationByKey(old), null)
    assert.ok((await store.findApplicationByKey(fresh)) !== null)
  })

  test('a key that is added again is good again', async () => {
    const { store } = shared()
    const [old, fresh] = [unique('key-'), unique('key-')]
    const { applicationId } = (await store.createApplication(newApplication(), old)) as Application
    await store.addApplicationKey(applicationId, fresh, store.clock.nowMs())
    await store.addApplicationKey(applicationId, old, null)
    assert.equal((await store.findApplicationByKey(old))?.applicationId, applicationId)
  })
}

function defaultCases(engine: TestEngine): void {
  test('the default application is number 1, also when another one was created before it', async () => {
    const own = await engine.open()
    try {
      const { store } = own
      const other = await makeApplication(store)
      const given = newApplication({ clientId: 'default' })
      assert.deepEqual(await store.putDefaultApplication(given, 'key-1'), { replacedKeys: 0 })
      const application = { ...given, applicationId: 1, disabled: false, epoch: 1 }
      assert.deepEqual(await store.findApplication(1), application)
      assert.ok(other.applicationId > 1)
      const next = await makeApplication(store)
      assert.deepEqual(await store.listApplications(), [application, other, next])
    } finally {
      await own.close()
    }
  })

  test('the default application becomes what the settings say, on all instances, and keeps its state', async () => {
    const own = await engine.open()
    try {
      const { store } = own
      const given = newApplication({ clientId: 'default' })
      const stores = [store, await own.another()] as const
      const put = await together(stores, 6, (each) => each.putDefaultApplication(given, 'key-1'))
      for (const each of put) assert.deepEqual(each, { replacedKeys: 0 })
      assert.deepEqual(await store.listApplications(), [
        { ...given, applicationId: 1, disabled: false, epoch: 1 },
      ])

      await store.changeApplication(1, { disabled: true })
      const changed = { ...given, name: 'New', rotation: false, accessTokenTtlSeconds: 60 }
      const after = await store.putDefaultApplication(changed, 'key-1')
      const application = { ...changed, applicationId: 1, disabled: true, epoch: 2 }
      assert.deepEqual(after, { replacedKeys: 0 })
      assert.deepEqual(await store.findApplicationByKey('key-1'), application)
    } finally {
      await own.close()
    }
  })

  test('the key of the settings is the only one that opens the default application', async () => {
    const own = await engine.open()
    try {
      const { store } = own
      const given = newApplication({ clientId: 'default' })
      await store.putDefaultApplication(given, 'key-1')
      await store.addApplicationKey(1, 'key-2', null)
      assert.equal((await store.putDefaultApplication(given, 'key-2'))?.replacedKeys, 1)
      await store.addApplicationKey(1, 'key-ended', null)
      await store.addApplicationKey(1, 'key-1', null)
      await store.addApplicationKey(1, 'key-2', 0)
      assert.equal((await store.putDefaultApplication(given, 'key-3'))?.replacedKeys, 1)
      assert.equal(await store.findApplicationByKey('key-1'), null)
      assert.equal(await store.findApplicationByKey('key-2'), null)
      assert.equal((await store.findApplicationByKey('key-3'))?.applicationId, 1)
      await store.createApplication(newApplication(), 'key-4')
      assert.equal(await store.putDefaultApplication({ ...given, name: 'New' }, 'key-4'), null)
      assert.equal((await store.findApplicationByKey('key-3'))?.name, given.name, 'and nothing has changed')
    } finally {
      await own.close()
    }
  })
}
