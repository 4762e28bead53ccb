/** When a new key begins to sign: late enough that verifiers know it, and early enough that some key always signs. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compose } from '../../src/compose.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { KeyRing } from '../../src/tokens/key-ring.ts'
import { rotateKey } from '../../src/usecases/rotate-key.ts'
import { silentLog } from '../support/service.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function site(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-rotate-'))
  const clock = { atMs: Date.UTC(2026, 0, 15), nowMs: () => clock.atMs }
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), clock)
  t.after(() => rmSync(folder, { recursive: true }))
  t.after(() => store.close())
  const open = async (algorithm: string, loadKeys: typeof KeyRing.load) => {
    const settings = readSettings({ DUKTIG_DATA_DIR: folder, DUKTIG_ACCESS_TOKEN_ALG: algorithm })
    const { deps, recorder } = await compose(settings, store, silentLog, loadKeys)
    t.after(() => recorder.stop())
    return deps
  }
  return {
    clock,
    /** Loads the keys as a service with this algorithm does at its start. */
    async start(algorithm: string) {
      const { keys } = await open(algorithm, KeyRing.load)
      await keys.retireOtherAlgorithms()
      return keys
    },
    rotate: async (algorithm: string) => rotateKey(await open(algorithm, KeyRing.read), 'access'),
  }
}

test('a key that follows one signs once everybody has had time to learn it', async (t) => {
  const { clock, start, rotate } = await site(t)
  const keys = await start('HS256')
  const { kid } = keys.signer('access')
  assert.equal((await rotate('HS256')).activeAtMs, clock.atMs + LIMITS.keyPublishedBeforeUseMs)
  await keys.reload()
  assert.equal(keys.signer('access').kid, kid)
})

test('also after the clock was set back, one that follows does not sign before the present one', async (t) => {
  const { clock, start, rotate } = await site(t)
  const keys = await start('HS256')
  const { kid } = keys.signer('access')
  clock.atMs -= DAY_MS
  await rotate('HS256')
  for (const laterMs of [0, HOUR_MS, DAY_MS - HOUR_MS]) {
    clock.atMs += laterMs
    await keys.reload()
    assert.equal(keys.signer('access').kid, kid)
  }
})

test('the first key of an algorithm signs as soon as the service runs with it', async (t) => {
  const { start, rotate } = await site(t)
  const before = await start('HS256')
  const { kid } = await rotate('ES256')
  assert.equal((await start('ES256')).signer('access').kid, kid)
  await before.reload()
  assert.equal(before.signer('access').algorithm, 'HS256')
})

for (const [name, laterMs] of [
  ['that are believed no more', 3 * DAY_MS],
  ['that are believed for some minutes', DAY_MS - HOUR_MS / 12],
] as const) {
  test(`who goes back to an algorithm with keys ${name} has one that signs`, async (t) => {
    const { clock, start, rotate } = await site(t)
    await start('HS256')
    await start('ES256')
    clock.atMs += laterMs
    const { kid } = await rotate('HS256')
    const keys = await start('HS256')
    for (let minutes = 0; minutes < 15; minutes++) {
      assert.equal(keys.signer('access').kid, kid)
      assert.ok(keys.verifiers('access').some((key) => key.kid === kid))
      clock.atMs += HOUR_MS / 60
      await keys.keepUp()
    }
  })
}
