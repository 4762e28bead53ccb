/** Which key signs and which keys verify, on a real store with a clock that the test sets. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { POLICY_KINDS } from '../../src/settings/policy.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import { KeyRing } from '../../src/tokens/key-ring.ts'
import { SealError, createSealer } from '../../src/tokens/seal.ts'
import { T0 } from '../support/sessions.ts'

const folder = mkdtempSync(join(tmpdir(), 'duktig-keys-'))
const sealer = createSealer('a-master-secret-of-32-characters')
const clock = { atMs: T0, nowMs: () => clock.atMs }
let store: Store
let number = 0

beforeEach(async () => {
  clock.atMs = T0
  if (number > 0) await store.close()
  store = (await openSqlite(join(folder, `${number++}.sqlite`), clock)).store
})

after(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const load = (algorithm: 'HS256' | 'ES256' = 'HS256') => KeyRing.load(store, clock, sealer, algorithm)

test('the first start makes a key for each purpose, and later ones use them', async () => {
  const first = await load()
  assert.deepEqual(
    first
      .all()
      .map((key) => key.purpose)
      .sort(),
    ['access', 'device', 'refresh'],
  )
  const second = await load()
  assert.deepEqual(
    second.all().map((key) => key.kid),
    first.all().map((key) => key.kid),
  )
  const { headerSegment } = first.signer('access')
  const verifier = second.verifiers('access').find((key) => key.headerSegment === headerSegment)
  assert.equal(verifier?.verify('text', first.signer('access').sign('text')), true)
})

test('after the clock was set back behind the making of the keys, the first that becomes active signs', async () => {
  const first = await load()
  clock.atMs += 3_600_000
  await store.rotateKey(first.newKey('access', clock.atMs), clock.atMs + 86_400_000)
  clock.atMs = T0 - 24 * 3_600_000
  const second = await load()
  for (const purpose of ['access', 'refresh', 'device'] as const)
    assert.equal(second.signer(purpose).kid, first.signer(purpose).kid)
  assert.equal(second.all().length, 4)
  assert.ok(second.signer('access').activeAtMs > clock.atMs)
})

test('instances that start together agree on the keys', async () => {
  const rings = await Promise.all([load(), load(), load(), load()])
  assert.equal(new Set(rings.map((ring) => ring.signer('refresh').kid)).size, 1)
  assert.equal((await store.listKeys()).length, 3)
})

test('who only reads the keys makes none, and finds none to sign with', async () => {
  const ring = await KeyRing.read(store, clock, sealer, 'HS256')
  assert.deepEqual([ring.all(), ring.findSigner('access')], [[], null])
  assert.deepEqual(await store.listKeys(), [])
  const { kid } = (await load()).signer('access')
  await ring.reload()
  assert.equal(ring.findSigner('access')?.kid, kid)
})

test('no key signs for two purposes', async () => {
  const ring = await load()
  const kids = (['access', 'refresh', 'device'] as const).map((purpose) => ring.signer(purpose).kid)
  assert.equal(new Set(kids).size, 3)
  for (const kid of kids.slice(1)) {
    const { headerSegment } = ring.all().find((key) => key.kid === kid) ?? { headerSegment: '' }
    assert.equal(believes(ring, headerSegment), false)
  }
})

test('the store holds no key in the clear, and another master secret opens none', async () => {
  const ring = await load()
  const secret = ring.signer('access').sharedSecret()
  assert.ok(secret)
  for (const { sealed } of await store.listKeys()) assert.equal(Buffer.from(sealed).includes(secret), false)
  const other = createSealer('another-secret-with-32-characters')
  await assert.rejects(KeyRing.load(store, clock, other, 'HS256'), SealError)
})

test('a new key is published before it signs, and then signs', async () => {
  const ring = await load('ES256')
  const before = ring.signer('access').kid
  const coming = ring.newKey('access', T0 + 600_000)
  await store.rotateKey(coming, T0 + 2_000_000)
  await ring.reload()
  assert.equal(ring.signer('access').kid, before)
  assert.equal(ring.publicKeys().keys.length, 2)
  clock.atMs = T0 + 600_000
  assert.equal(ring.signer('access').kid, coming.kid)
})

test('a retired key is believed until its time, and not after it', async () => {
  const ring = await load()
  const old = ring.signer('access')
  await store.rotateKey(ring.newKey('access', T0), T0 + 900_000)
  clock.atMs = T0 + 899_999
  await ring.reload()
  assert.equal(believes(ring, old.headerSegment), true)
  clock.atMs = T0 + 900_000
  await ring.reload()
  assert.equal(believes(ring, old.headerSegment), false)
})

test('a change of algorithm signs with a new key and still believes the old one', async () => {
  const old = (await load('HS256')).signer('access')
  const ring = await load('ES256')
  assert.equal(ring.signer('access').algorithm, 'ES256')
  assert.equal(believes(ring, old.headerSegment), true)
  assert.deepEqual(
    ring.publicKeys().keys.map((jwk) => jwk['alg']),
    ['ES256'],
  )
})

test('a refresh key that another instance made first is found', async () => {
  const [one, other] = [await load(), await load()]
  const key = one.newKey('refresh', T0)
  await store.rotateKey(key, T0 + 900_000)
  assert.equal((await other.refreshKey(key.kid)).kid, key.kid)
  await assert.rejects(other.refreshKey('nobody-made-this'), /nobody-made-this/)
})

test('an access key is no refresh key, though a row should name it', async () => {
  const ring = await load()
  await assert.rejects(ring.refreshKey(ring.signer('access').kid))
})

test('a change of algorithm that is taken back signs on, also when what it retired has gone', async () => {
  await load()
  const changed = await load('ES256')
  await changed.retireOtherAlgorithms()
  const back = await load()
  await back.retireOtherAlgorithms()
  const { kid } = back.signer('access')
  clock.atMs += 25 * 3_600_000
  await store.removeRetiredKeys()
  await back.reload()
  assert.equal(back.signer('access').kid, kid)
  assert.ok(believes(back, back.signer('access').headerSegment))
})

test('an instance whose key somebody sent into retirement has another one in time', async () => {
  const ring = await load()
  const before = ring.signer('access').kid
  await store.retireOtherAlgorithms('access', 'ES256', clock.atMs + 24 * 3_600_000)
  await ring.keepUp()
  assert.equal(ring.signer('access').kid, before)
  clock.atMs += 23.5 * 3_600_000
  await ring.keepUp()
  assert.notEqual(ring.signer('access').kid, before)
  clock.atMs += 3_600_000
  await store.removeRetiredKeys()
  await ring.keepUp()
  assert.ok(believes(ring, ring.signer('access').headerSegment))
})

test('after a change of algorithm, the old keys are believed as long as the longest access token lives', async () => {
  const old = (await load('HS256')).signer('access')
  const ring = await load('ES256')
  await ring.retireOtherAlgorithms()
  const longestSeconds = LIMITS.accessTokenTtlSecondsMax
  assert.deepEqual(POLICY_KINDS.accessTokenTtlSeconds.parse(`${longestSeconds}`), { value: longestSeconds })
  assert.ok('mistake' in POLICY_KINDS.accessTokenTtlSeconds.parse(`${longestSeconds + 1}`))
  clock.atMs += longestSeconds * 1000 - 1
  await ring.reload()
  assert.ok(believes(ring, old.headerSegment))
})

test('loading the keys with another algorithm retires none', async () => {
  await load()
  await load('ES256')
  assert.ok((await store.listKeys()).every((key) => key.retireAtMs === null))
})

function believes(ring: KeyRing, headerSegment: string): boolean {
  return ring.verifiers('access').some((key) => key.headerSegment === headerSegment)
}
