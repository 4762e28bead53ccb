/** When a ring reads the keys again because of a token; on a real store that counts these reads. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { signJws } from '../../src/tokens/jws.ts'
import { KeyRing } from '../../src/tokens/key-ring.ts'
import { createSealer } from '../../src/tokens/seal.ts'
import type { SigningKey } from '../../src/tokens/signing-key.ts'
import { aKey } from '../support/keys.ts'
import { LEGACY_HEADER } from '../support/legacy.ts'
import { T0 } from '../support/sessions.ts'

const LIFE_MS = 900_000

async function site(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-learn-'))
  const clock = { atMs: T0, nowMs: () => clock.atMs }
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), clock)
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const sealer = createSealer('a-master-secret-of-32-characters')
  /** Reads are counted; what they found arrives `after` this. */
  const reads = { count: 0, after: Promise.resolve() }
  const counting = {
    ...store,
    listKeys: async () => {
      reads.count += 1
      const { after } = reads
      const keys = await store.listKeys()
      await after
      return keys
    },
  }
  const other = await KeyRing.load(store, clock, sealer, 'HS256')
  const ring = await KeyRing.load(counting, clock, sealer, 'HS256')
  reads.count = 0
  /** Another instance adds a key, which signs at once. */
  const rotate = async (): Promise<SigningKey> => {
    const key = other.newKey('refresh', clock.atMs)
    await store.rotateKey(key, clock.atMs + LIFE_MS)
    await other.reload()
    return other.signer('refresh')
  }
  return { store, clock, ring, reads, rotate }
}

const tokenOf = (key: SigningKey) => signJws(key, '{}')
const invented = () => tokenOf(aKey('refresh', 'HS256'))

test('a key that another instance has added is learned from the first token that names it', async (t) => {
  const { ring, reads, rotate } = await site(t)
  const key = await rotate()
  assert.ok(!ring.verifiers('refresh').some(({ kid }) => kid === key.kid))
  assert.equal(await ring.learnKeyOf(tokenOf(key), 'refresh'), true)
  assert.ok(ring.verifiers('refresh').some(({ kid }) => kid === key.kid))
  assert.equal(reads.count, 1)
})

test('a flood of invented keys reads the keys once a second, and hides no new key for longer', async (t) => {
  const { clock, ring, reads, rotate } = await site(t)
  const flood = async () => {
    const learned = await Promise.all(
      Array.from({ length: 500 }, () => ring.learnKeyOf(invented(), 'refresh')),
    )
    assert.ok(!learned.includes(true))
  }
  await flood()
  await flood()
  clock.atMs += 999
  await flood()
  assert.equal(reads.count, 1)
  const token = tokenOf(await rotate())
  assert.equal(await ring.learnKeyOf(token, 'refresh'), false)
  clock.atMs += 1
  const [learned] = await Promise.all([ring.learnKeyOf(token, 'refresh'), flood()])
  assert.equal(learned, true)
  assert.equal(reads.count, 2)
})

test('a reading of the keys that arrives late takes back none that a later one has learned', async (t) => {
  const { ring, reads, rotate } = await site(t)
  const late = Promise.withResolvers<void>()
  reads.after = late.promise
  const reloaded = ring.reload()
  reads.after = Promise.resolve()
  const key = await rotate()
  assert.equal(await ring.learnKeyOf(tokenOf(key), 'refresh'), true)
  late.resolve()
  await reloaded
  assert.ok(ring.verifiers('refresh').some(({ kid }) => kid === key.kid))
})

test('what names no key, or one that the ring holds, reads nothing', async (t) => {
  const { ring, reads } = await site(t)
  const held = tokenOf(ring.signer('refresh'))
  const tokens = [
    '',
    'garbage',
    '.'.repeat(200),
    `${Buffer.from(LEGACY_HEADER).toString('base64url')}.e30.c2ln`,
    tokenOf(aKey('access', 'ES256')),
    tokenOf(ring.signer('access')),
    held,
    `${held.slice(0, -4)}AAAA`,
  ]
  for (const token of tokens) assert.equal(await ring.learnKeyOf(token, 'refresh'), false, token)
  assert.equal(reads.count, 0)
})

test('a key that has retired verifies no more, neither before its removal nor after it', async (t) => {
  const { store, clock, ring, reads, rotate } = await site(t)
  const old = ring.signer('refresh')
  await rotate()
  clock.atMs += LIFE_MS
  await ring.reload()
  assert.equal(await ring.learnKeyOf(tokenOf(old), 'refresh'), false)
  assert.equal(reads.count, 1)
  await store.removeRetiredKeys()
  await ring.reload()
  assert.equal(await ring.learnKeyOf(tokenOf(old), 'refresh'), false)
  assert.equal(reads.count, 3)
  assert.ok(!ring.verifiers('refresh').some(({ kid }) => kid === old.kid))
})
