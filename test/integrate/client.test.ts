/** The client of docs/refresh.md, in several tabs, on a connection that loses answers. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startDroppingProxy } from '../support/dropping-proxy.ts'
import { ENGINES, startInstances } from '../support/engines.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { createRandom, freshSeed, givenSeed } from '../support/random.ts'
import { blocksOf, importBlock, newFolder } from './blocks.ts'

interface Held {
  readonly refreshToken: string
  readonly attemptKey: string
}

interface Storage {
  read(): Promise<Held>
  change(work: (held: Held) => Held): Promise<void>
}

type Refresh = (service: string, storage: Storage) => Promise<string | null>

const TABS = 4
const ROUNDS = 40
const REST_MS = 30_000

const folder = newFolder()
after(() => folder.remove())

for (const { name, open } of ENGINES) {
  test(`four tabs with the client of the page are never signed out, on ${name}`, async (t) => {
    const [block = ''] = blocksOf('What a client does', 'js', 'docs/refresh.md')
    const { refresh } = await importBlock<{ refresh: Refresh }>(folder, block)
    const seed = givenSeed() ?? freshSeed()
    const random = createRandom(seed)
    t.diagnostic(`seed ${seed}`)
    const engine = await open()
    const services = await startInstances(engine)
    const proxies = await Promise.all(services.map(({ address }) => startDroppingProxy(address)))
    try {
      const [deps] = engine.deps
      const { application } = await makeApplication(deps)
      const { session, refreshToken } = await openSession(deps, await makeAccount(deps), application)
      const storage = storageWith({ refreshToken, attemptKey: 'first' })
      const tab = async () => {
        const instance = random.below(2)
        // Some calls lose the answer to every try. The next call is on a good connection.
        if (random.chance(0.4)) await assert.rejects(refresh(proxies[instance]?.address ?? '', storage))
        const accessToken = await refresh(services[instance]?.address ?? '', storage)
        assert.notEqual(accessToken, null, 'nobody is signed out')
      }
      for (let round = 0; round < ROUNDS; round++) {
        await engine.pass(session.sessionId, REST_MS * (1 + random.below(10)))
        await Promise.all(Array.from({ length: TABS }, tab))
      }
      const view = await deps.store.readSession(session.sessionId)
      assert.equal(view?.session.endedAtMs, null)
      assert.ok((view?.session.generation ?? 0) > ROUNDS / 2, 'the token has rotated')
    } finally {
      for (const proxy of proxies) await proxy.close()
      for (const service of new Set(services)) await service.stop()
      await engine.close()
    }
  })
}

test('the client of the page does not take a wrong application key for the end of its session', async () => {
  const [block = ''] = blocksOf('What a client does', 'js', 'docs/refresh.md')
  const begin = 'headers: {'
  assert.ok(block.includes(begin))
  const withKey = block.replace(begin, `${begin} 'X-Auth-Key': storage.key,`)
  const { refresh } = await importBlock<{ refresh: Refresh }>(folder, withKey)
  const engine = await (ENGINES[0] as (typeof ENGINES)[number]).open()
  const [service] = await startInstances(engine)
  try {
    const [deps] = engine.deps
    const { application, key } = await makeApplication(deps)
    const { key: otherKey } = await makeApplication(deps)
    const { session, refreshToken } = await openSession(deps, await makeAccount(deps), application)
    const ask = (given: string) =>
      refresh(
        service?.address ?? '',
        Object.assign(storageWith({ refreshToken, attemptKey: 'first' }), { key: given }),
      )
    for (const wrong of [otherKey, 'no key of any application'])
      await assert.rejects(ask(wrong), /answered 401/)
    assert.notEqual(await ask(key), null)
    await deps.store.endSession(session.accountId, session.sessionId, 'signed-out')
    assert.equal(await ask(key), null)
  } finally {
    for (const each of new Set([service])) await each?.stop()
    await engine.close()
  }
})

function storageWith(first: Held): Storage {
  let held = first
  return {
    read: async () => held,
    change: async (work) => {
      held = work(held)
    },
  }
}
