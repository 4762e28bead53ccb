import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf } from '../../src/store/sqlite/hash-of.ts'
import { RowCache } from '../../src/store/sqlite/row-cache.ts'
import { type Random, createRandom, freshSeed, givenSeed } from '../support/random.ts'

const MIB = 2 ** 20
const COLUMNS = 5

test('a row is what was put last, whole or nothing, however many there are and whatever is dropped', (t) => {
  const seed = givenSeed() ?? freshSeed()
  t.diagnostic(`DUKTIG_TEST_SEED=${seed}`)
  const random = createRandom(seed)
  const cache = new RowCache(8 * MIB, COLUMNS)
  const truth = new Map<string, readonly unknown[]>()
  const keys = Array.from(
    { length: 60_000 },
    (_, i) => `${random.pick(['', 'session-', 'x'.repeat(50)])}${i}`,
  )
  let found = 0
  for (let step = 0; step < 300_000; step++) {
    const key = random.pick(keys)
    if (random.chance(0.4)) {
      const row = aRow(random)
      cache.put(key, row)
      truth.set(key, row)
    } else if (random.chance(0.1)) {
      cache.delete(key)
      truth.delete(key)
    } else if (random.chance(0.0001)) {
      random.pick([() => cache.age(), () => cache.clear()])()
    } else {
      const columns = 1 + random.below(COLUMNS)
      const row = cache.get(key, columns)
      if (row === undefined) continue
      assert.deepEqual(row, truth.get(key)?.slice(0, columns))
      found++
    }
    assert.ok(cache.bytes <= 12 * MIB, `it holds ${cache.bytes} bytes`)
  }
  assert.ok(found > 10_000, `it found ${found}`)
})

test('every value that a row may have comes back as it was, or the row is not kept', () => {
  const cache = new RowCache(8 * MIB, 2)
  const kept = [0, 1, 251, 252, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Date.now(), 2 ** 48 - 1, null]
  const texts = ['', 'a', 'Ödegård', '\u00ff\u0000', 'Їжак', '日本', '👩‍👩', '\ud800', 'x'.repeat(2000)]
  for (const value of [...kept, ...texts]) {
    cache.put('key', [value, 7])
    assert.deepEqual(cache.get('key'), [value, 7])
  }
  const odd = [
    -1,
    1.5,
    2 ** 48,
    Number.NaN,
    Infinity,
    7n,
    true,
    undefined,
    new Uint8Array(2),
    'x'.repeat(5000),
  ]
  for (const value of odd) {
    cache.put('key', ['before', 7])
    cache.put('key', [value, 7])
    assert.equal(cache.get('key'), undefined)
  }
  cache.put('k'.repeat(65), [1, 7])
  assert.equal(cache.get('k'.repeat(65)), undefined)
})

test('keys of the same hash are told apart', () => {
  const cache = new RowCache(8 * MIB, 1)
  const known = new Map<number, string>()
  let pairs = 0
  for (let i = 0; pairs < 3; i++) {
    const key = `key ${i}`
    const other = known.get(hashOf(key))
    known.set(hashOf(key), key)
    if (other === undefined) continue
    pairs++
    cache.put(other, ['the first'])
    assert.equal(cache.get(key), undefined)
    cache.put(key, ['the second'])
    assert.deepEqual(cache.get(other), ['the first'])
    cache.delete(other)
    assert.deepEqual(cache.get(key), ['the second'])
  }
})

test('what was asked for of late is there when the memory is full', () => {
  const cache = new RowCache(8 * MIB, 2)
  cache.put('asked', ['always', 1])
  cache.put('not asked', ['once', 1])
  for (let i = 0; i < 200_000; i++) {
    cache.put(`other ${i}`, ['x'.repeat(100), i])
    if (i % 1000 === 0) assert.deepEqual(cache.get('asked'), ['always', 1])
  }
  assert.equal(cache.get('not asked'), undefined)
  assert.deepEqual(cache.get('other 199999'), ['x'.repeat(100), 199_999])
})

test('a row that there is no memory for does not leave the one before it', (t) => {
  const cache = new RowCache(64 * MIB, 1)
  cache.put('key', ['before'])
  t.mock.method(Buffer, 'alloc', () => {
    throw new RangeError('Array buffer allocation failed')
  })
  for (let i = 0; i < 10_000; i++) {
    const row = [`${i} ${'x'.repeat((97 * i) % 1500)}`]
    cache.put('key', row)
    const found = cache.get('key')
    if (found === undefined) return
    assert.deepEqual(found, row)
  }
  assert.fail('memory never came to an end')
})

test('a lack of memory while the halves change places leaves rows that can be used', (t) => {
  const cache = new RowCache(0, 1)
  const slots = globalThis.Uint32Array
  const refuse = function (): never {
    throw new RangeError('Array buffer allocation failed')
  }
  t.after(() => {
    globalThis.Uint32Array = slots
  })
  for (const fails of [() => cache.age(), () => cache.put('other', ['after'])]) {
    cache.put('key', ['before'])
    globalThis.Uint32Array = refuse as unknown as typeof slots
    fails()
    globalThis.Uint32Array = slots
    assert.ok([undefined, 'before'].includes(cache.get('key')?.[0] as string | undefined))
    cache.put('key', ['at last'])
    assert.deepEqual(cache.get('key'), ['at last'])
  }
})

test('memory that nobody asks for is given back', () => {
  const cache = new RowCache(64 * MIB, 2)
  for (let i = 0; i < 100_000; i++) cache.put(`key ${i}`, ['x'.repeat(100), i])
  assert.ok(cache.bytes > 10 * MIB)
  cache.age()
  assert.deepEqual(cache.get('key 7'), ['x'.repeat(100), 7])
  cache.age()
  assert.deepEqual(cache.get('key 7'), ['x'.repeat(100), 7])
  assert.equal(cache.get('key 8'), undefined)
  cache.age()
  cache.age()
  assert.ok(cache.bytes < MIB, `it still holds ${cache.bytes} bytes`)
})

function aRow(random: Random): readonly unknown[] {
  const text = () => random.pick(['', 'abc', 'Ödegård', 'Їжак', 'y'.repeat(random.below(300))])
  const number = () => random.pick([0, random.below(300), Date.now() - random.below(1e9)])
  return Array.from({ length: COLUMNS }, () => random.pick([text, number, () => null])())
}
