/** Secrets at rest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SealError, createSealer } from '../../src/tokens/seal.ts'

const MASTER = 'a-master-secret-of-32-characters'
const SECRET = Buffer.from('the private part of a key')

test('what was sealed opens again, also by a sealer made later', () => {
  const sealed = createSealer(MASTER).seal(SECRET, 'key 1')
  assert.deepEqual(createSealer(MASTER).open(sealed, 'key 1'), SECRET)
})

test('what is sealed does not hold the secret, and looks different each time', () => {
  const sealer = createSealer(MASTER)
  const [one, two] = [sealer.seal(SECRET, 'key 1'), sealer.seal(SECRET, 'key 1')]
  assert.equal(one.includes(SECRET), false)
  assert.notDeepEqual(one, two)
})

test('another master secret does not open it', () => {
  const sealed = createSealer(MASTER).seal(SECRET, 'key 1')
  assert.throws(() => createSealer(`${MASTER}.`).open(sealed, 'key 1'), SealError)
})

test('what was sealed for one thing does not open for another', () => {
  const sealer = createSealer(MASTER)
  assert.throws(() => sealer.open(sealer.seal(SECRET, 'key 1 access'), 'key 1 refresh'), SealError)
})

test('a single changed bit anywhere is found', () => {
  const sealer = createSealer(MASTER)
  const sealed = sealer.seal(SECRET, 'key 1')
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    assert.throws(() => sealer.open(changed, 'key 1'), SealError)
  }
})

test('a part of it does not open', () => {
  const sealer = createSealer(MASTER)
  const sealed = sealer.seal(SECRET, 'key 1')
  for (let length = 0; length < sealed.length; length++) {
    assert.throws(() => sealer.open(sealed.subarray(0, length), 'key 1'), SealError)
  }
})
