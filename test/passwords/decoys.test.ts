/** Unknown e-mail addresses are checked against decoys: hashes that cost as much to check as those of accounts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hash as argon2Hash } from '@node-rs/argon2'
import { hash as bcryptHash, parseOptions } from '@node-rs/bcrypt'
import { createDecoys } from '../../src/passwords/decoys.ts'
import { createPasswords, isKnownHash } from '../../src/passwords/passwords.ts'

const MASTER = 'a-master-secret-of-32-characters'
const passwords = createPasswords(2)

const sample = {
  'of ours': await passwords.hash('Pass-word1'),
  'argon2id of others': await argon2Hash('Pass-word1', { memoryCost: 8192, timeCost: 3, parallelism: 2 }),
  'bcrypt $2a$': await bcryptHash('Pass-word1', { cost: 8, version: '2a' }),
  'bcrypt $2b$': await bcryptHash('Pass-word1', { cost: 8, version: '2b' }),
  'bcrypt $2y$': await bcryptHash('Pass-word1', { cost: 8, version: '2y' }),
}

/** The part of a hash that determines its cost: everything before the salt. */
const kind = (hash: string) =>
  hash
    .split('$')
    .slice(0, hash.startsWith('$2') ? 3 : 4)
    .join('$')

/** The least processor time of several checks, in microseconds; waiting for other processes does not count. */
async function leastWork(hash: string): Promise<number> {
  const works: number[] = []
  for (let i = 0; i < 4; i++) {
    const started = process.cpuUsage()
    assert.equal(await passwords.verify(hash, 'Pass-word2'), false)
    const { user, system } = process.cpuUsage(started)
    works.push(user + system)
  }
  return Math.min(...works)
}

for (const [name, hash] of Object.entries(sample)) {
  describe(`where accounts have hashes ${name}`, () => {
    const decoys = createDecoys(MASTER)
    decoys.learn([hash])
    const decoy = decoys.hashFor('nobody@example.com')

    test('nobody has one of the same kind, well formed', () => {
      assert.equal(kind(decoy), kind(hash))
      assert.equal(decoy.length, hash.length)
      assert.equal(isKnownHash(decoy), true)
      if (decoy.startsWith('$2')) assert.equal(parseOptions(decoy).cost, 8)
    })

    test('the check for nobody does the work of a real one', async () => {
      const [real, nobody] = [await leastWork(hash), await leastWork(decoy)]
      // Not a test for equal times, which would fail on a busy machine: it only tests that the work is not left out.
      assert.ok(nobody > real / 4, `${nobody} µs for nobody, ${real} µs for somebody`)
    })
  })
}

test('before there are accounts, nobody has a hash of ours', () => {
  const decoys = createDecoys(MASTER)
  assert.equal(kind(decoys.hashFor('a@example.com')), kind(sample['of ours']))
  decoys.learn([])
  assert.equal(kind(decoys.hashFor('a@example.com')), kind(sample['of ours']))
})

test('of a mixture every address gets one kind, the same on all instances, in about the same shares', () => {
  const [one, other] = [createDecoys(MASTER), createDecoys(MASTER)]
  const mixture = [sample['of ours'], sample['bcrypt $2y$'], sample['bcrypt $2y$'], sample['bcrypt $2y$']]
  one.learn(mixture)
  other.learn([...mixture].reverse())
  const addresses = Array.from({ length: 1000 }, (_, i) => `person-${i}@example.com`)
  const kinds = addresses.map((address) => kind(one.hashFor(address)))
  assert.deepEqual(
    addresses.map((address) => kind(other.hashFor(address))),
    kinds,
  )
  const share = kinds.filter((k) => k.startsWith('$2y$')).length / kinds.length
  assert.ok(share > 0.65 && share < 0.85, String(share))
})
