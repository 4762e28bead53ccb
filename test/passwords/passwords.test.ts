/** Password hashes: what they are made of, and which passwords they tell apart. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hash as argon2Hash } from '@node-rs/argon2'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { createPasswords, isKnownHash, isOutdatedHash, provesWhole } from '../../src/passwords/passwords.ts'
import { Overloaded } from '../../src/passwords/work-queue.ts'
import { LIMITS } from '../../src/settings/limits.ts'

const passwords = createPasswords(2)

/** Memory in KiB and passes of the argon2id settings that OWASP's password storage cheat sheet calls equal. */
const OWASP = [
  [47_104, 1],
  [19_456, 2],
  [12_288, 3],
  [9216, 4],
  [7168, 5],
] as const

test('a hash is argon2id with at least the parameters that OWASP asks for, and a salt of its own', async () => {
  const [first, second] = await Promise.all([passwords.hash('abc123'), passwords.hash('abc123')])
  assert.notEqual(first, second)
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(first)
  assert.ok(match)
  const [memory, passes, lanes] = match.slice(1, 4).map(Number) as [number, number, number]
  assert.ok(OWASP.some(([m, t]) => memory >= m && passes >= t))
  assert.ok(lanes >= 1)
  assert.ok(Buffer.from(match[4] ?? '', 'base64').length >= 16)
  assert.ok(Buffer.from(match[5] ?? '', 'base64').length >= 32)
})

test('the right password verifies, every other does not', async () => {
  const hash = await passwords.hash('Correct-Horse-1')
  assert.equal(await passwords.verify(hash, 'Correct-Horse-1'), true)
  for (const wrong of ['', 'correct-horse-1', 'Correct-Horse-1 ', ' Correct-Horse-1', 'Correct-Horse-']) {
    assert.equal(await passwords.verify(hash, wrong), false, JSON.stringify(wrong))
  }
})

describe('passwords that other programs take for one are two', () => {
  const rows = [
    ['73 bytes and their first 72', `${'a1'.repeat(36)}X`, 'a1'.repeat(36)],
    ['73 bytes that differ in the last', `${'a1'.repeat(36)}X`, `${'a1'.repeat(36)}Y`],
    ['256 bytes that differ in the last', `${'a1'.repeat(127)}aX`, `${'a1'.repeat(127)}aY`],
    ['a password with NUL and what stands before it', 'abc123\0secret', 'abc123'],
    ['two that differ after a NUL', 'abc123\0secret', 'abc123\0other'],
    ['letters that only look alike', 'pаssword1', 'password1'],
    ['compatibility forms', 'ﬁle12', 'file12'],
  ] as const
  for (const [name, one, other] of rows) {
    test(name, async () => {
      const hash = await passwords.hash(one)
      assert.equal(await passwords.verify(hash, one), true)
      assert.equal(await passwords.verify(hash, other), false)
    })
  }
})

test('composed and decomposed letters are one password, whichever was typed first', async () => {
  const composed = 'Müller-1é'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  assert.notEqual(composed, decomposed)
  assert.equal(await passwords.verify(await passwords.hash(composed), decomposed), true)
  assert.equal(await passwords.verify(await passwords.hash(decomposed), composed), true)
})

test('a hash from elsewhere is that of the password as it was typed there, composed or not', async () => {
  const composed = 'Müller-1é'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  const argon2 = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
  const hashes = (password: string) => [bcryptHash(password, { cost: 4 }), argon2Hash(password, argon2)]
  for (const hash of await Promise.all(hashes(decomposed))) {
    assert.equal(await passwords.verify(hash, decomposed), true)
    assert.equal(await passwords.verify(hash, 'Mu\u0308ller-1e'), false)
  }
  for (const hash of await Promise.all(hashes(composed))) {
    for (const typed of [composed, decomposed]) assert.equal(await passwords.verify(hash, typed), true)
  }
})

test('bcrypt proves a password whole only where it reads all of it, however it is spelled', async () => {
  // One letter of three bytes, or two of three bytes each where it is normalised.
  const letters = '\u095b'.repeat(20)
  const hash = await bcryptHash(`${letters}-1`.normalize('NFC'), { cost: 4 })
  const mistyped = `${letters}-2`
  assert.ok(Buffer.byteLength(mistyped) < 72)
  assert.equal(await passwords.verify(hash, mistyped), true, 'bcrypt has not read the end')
  assert.equal(provesWhole(hash, mistyped), false)
  assert.equal(provesWhole(hash, 'Pass-word1'), true)
  assert.equal(provesWhole(await passwords.hash(letters), letters), true)
})

describe('a bcrypt hash from elsewhere', () => {
  for (const version of ['2a', '2b', '2y'] as const) {
    test(`with the prefix $${version}$ is known, verifies and is outdated`, async () => {
      const hash = await bcryptHash('Pass-word1', { cost: 4, version })
      assert.ok(hash.startsWith(`$${version}$04$`))
      assert.equal(isKnownHash(hash), true)
      assert.equal(isOutdatedHash(hash), true)
      assert.equal(await passwords.verify(hash, 'Pass-word1'), true)
      assert.equal(await passwords.verify(hash, 'Pass-word2'), false)
    })
  }
  test('that PHP made verifies', async () => {
    const hash = '$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq'
    assert.equal(await passwords.verify(hash, 'rasmuslerdorf'), true)
    assert.equal(await passwords.verify(hash, 'rasmuslerdorg'), false)
  })
})

test('an argon2id hash with other parameters verifies and is outdated, one of ours is not', async () => {
  const weaker = await argon2Hash('Pass-word1', { memoryCost: 8192, timeCost: 1, parallelism: 1 })
  assert.equal(isKnownHash(weaker), true)
  assert.equal(isOutdatedHash(weaker), true)
  assert.equal(await passwords.verify(weaker, 'Pass-word1'), true)
  const ours = await passwords.hash('Pass-word1')
  assert.equal(isKnownHash(ours), true)
  assert.equal(isOutdatedHash(ours), false)
})

describe('what is no hash that we check', () => {
  const bcrypt = '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'
  const rows = [
    '',
    'Pass-word1',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
    '$6$salt$hash',
    bcrypt.slice(0, -1),
    `${bcrypt}x`,
    // Bits that belong to neither salt nor digest: no password would verify.
    bcrypt.replace('MyeIj', 'MyfIj'),
    `${bcrypt.slice(0, -1)}z`,
    bcrypt.replace('$2y$', '$2x$'),
    // A cost that would keep a core busy for minutes.
    bcrypt.replace('$10$', '$31$'),
    bcrypt.replace('$10$', '$00$'),
    // So much memory, or so many passes or lanes, that other requests would suffer.
    '$argon2id$v=19$m=262145,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=19456,t=11,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=19456,t=2,p=17$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    // Below the minimum of RFC 9106, in another spelling, or cut short: the library throws for such a hash.
    '$argon2id$v=19$m=7,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=15,t=2,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=19456,t=2,p=0$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=019456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaHd',
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFza',
    '$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$',
  ]
  for (const hash of rows) {
    test(`${JSON.stringify(hash)} is unknown and no password fits it`, async () => {
      assert.equal(isKnownHash(hash), false)
      assert.equal(await passwords.verify(hash, 'Pass-word1'), false)
      assert.equal(await passwords.verify(hash, hash), false)
    })
  }
})

test('hashing and checking share one bounded queue', async (t) => {
  // With these timers nobody waits too long, however busy the machine is.
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const narrow = createPasswords(1)
  const hash = await narrow.hash('Pass-word1')
  const jobs = Array.from({ length: LIMITS.hashesWaiting + 3 }, (_, i) =>
    i % 2 === 0 ? narrow.verify(hash, 'Pass-word1') : narrow.hash('Pass-word1'),
  )
  assert.deepEqual([narrow.queue.running, narrow.queue.waiting], [1, LIMITS.hashesWaiting])
  const outcomes = await Promise.allSettled(jobs)
  const refused = outcomes.filter((o) => o.status === 'rejected')
  assert.equal(refused.length, 2)
  assert.ok(refused.every(({ reason }) => reason instanceof Overloaded))
})
