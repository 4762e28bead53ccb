import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_TEXT_CHARACTERS, type Tail, Tails } from '../../src/store/sqlite/rotation-tails.ts'
import { type Random, createRandom, freshSeed, givenSeed } from '../support/random.ts'

test('tails of many sessions are what was put last, and are taken out in the order in which their ids begin', (t) => {
  const seed = givenSeed() ?? freshSeed()
  t.diagnostic(`DUKTIG_TEST_SEED=${seed}`)
  const random = createRandom(seed)
  const tails = new Tails()
  // Two rounds, because the memory of cleared tails is used again.
  for (const sessions of [5000, 3000]) {
    const ids = Array.from({ length: sessions }, () => idFrom(random))
    const expected = new Map<string, Tail>()
    for (let i = 0; i < 3 * sessions; i++) {
      const sessionId = random.pick(ids)
      const tail = aTail(i)
      tails.put(sessionId, tail)
      expected.set(sessionId, tail)
    }
    for (const sessionId of ids) {
      assert.deepEqual(tails.get(sessionId), expected.get(sessionId))
      assert.equal(tails.has(sessionId), expected.has(sessionId))
    }
    assert.equal(tails.left, expected.size)

    const taken: string[] = []
    while (tails.left > 0) {
      const next = tails.peek(1 + random.below(200))
      assert.deepEqual(tails.peek(next.length), next, 'what is looked at stays')
      tails.takeOut(next.length)
      taken.push(...next)
      assert.deepEqual(tails.get(next[0] as string), expected.get(next[0] as string), 'and is still found')
    }
    assert.deepEqual(taken.toSorted(), [...expected.keys()].sort(), 'each of them, and once')
    const starts = taken.map((sessionId) => sessionId.slice(0, 3))
    assert.deepEqual(starts, starts.toSorted())
    tails.clear()
    assert.equal(tails.left, 0)
    assert.equal(tails.has(ids[0] as string), false)
  }
})

test('puts that are taken back, the last one first, leave everything as it was', (t) => {
  const seed = givenSeed() ?? freshSeed()
  t.diagnostic(`DUKTIG_TEST_SEED=${seed}`)
  const random = createRandom(seed)
  const tails = new Tails()
  const expected = new Map<string, Tail>()
  const ids = Array.from({ length: 4000 }, () => idFrom(random))
  for (let n = 0; n < 100; n++) {
    const steps = Array.from({ length: random.below(100) }, (_, i) => {
      const sessionId = random.pick(ids)
      const before = tails.get(sessionId)
      const tail = aTail(100 * n + i)
      tails.put(sessionId, tail)
      return { sessionId, before, tail }
    })
    if (random.below(2) === 0) for (const { sessionId, tail } of steps) expected.set(sessionId, tail)
    else for (const { sessionId, before } of steps.reverse()) tails.undoPut(sessionId, before)
  }
  for (const sessionId of ids) assert.deepEqual(tails.get(sessionId), expected.get(sessionId))
  assert.deepEqual(tails.peek(ids.length).toSorted(), [...expected.keys()].sort())
})

test('ids of every length are told apart', () => {
  const tails = new Tails()
  const ids = ['', 'a', 'aa', 'aaa', 'b', 'ab', 'x'.repeat(MOST_TEXT_CHARACTERS)]
  ids.forEach((sessionId, i) => {
    tails.put(sessionId, aTail(i))
  })
  ids.forEach((sessionId, i) => {
    assert.deepEqual(tails.get(sessionId), aTail(i))
  })
  assert.equal(tails.get('c'), undefined)
  assert.deepEqual(tails.peek(ids.length).toSorted(), ids.toSorted())
})

function idFrom(random: Random): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('')
  return Array.from({ length: 22 }, () => random.pick(alphabet)).join('')
}

function aTail(n: number): Tail {
  return {
    generation: n,
    rotatedAtMs: 1_800_000_000_000 + n,
    handedOutAtMs: 1_800_000_001_000 + n,
    lastUsedAtMs: 1_800_000_002_000 + n,
    repeats: n % 101,
    kid: `key-${n % 3}`,
    attemptKey: n % 2 === 0 ? null : `attempt-${n}`,
  }
}
