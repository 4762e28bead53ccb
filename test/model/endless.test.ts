/** What nobody can go on doing for ever: L2 and L3 of `docs/refresh.md`, as the absence of cycles. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endlessPlay } from './cycles.ts'
import { explore } from './explore.ts'
import type { Move } from './scene.ts'
import type { Size } from './world.ts'

const BIT = { time: 1, owner: 2, thief: 4, advance: 8, repeat: 16 } as const
const ANYBODY = { tabs: 1, D: 0, G: 1, W: 2, timed: false, lootSize: 2, repeatsLeft: 2 } as const

function bitsOf({ by, served }: Move): number {
  let bits = by === 'time' ? BIT.time : 0
  if (served === null || served === 'deny' || served === 'end') return bits
  if (by === 'tab') bits |= BIT.owner
  if (by === 'thief') bits |= BIT.thief
  if (served === 'advance' || served === 'repeat') bits |= BIT[served]
  return bits
}

function endless(size: Size, wanted: number, barred = 0): boolean {
  const { graph, states, violation } = explore(size, { bitsOf })
  assert.equal(violation, null)
  return endlessPlay(graph, states, wanted, barred) !== null
}

const BOTH_SERVED = BIT.time | BIT.owner | BIT.thief
const HELD = BIT.time | BIT.repeat

for (const keys of ['none', 'stored'] as const) {
  test(`owner and thief cannot both go on for ever, later than W (keys: ${keys})`, () => {
    const size: Size = { ...ANYBODY, keys, copies: 2, nobodyFollows: true }
    assert.equal(endless(size, BOTH_SERVED), false)
  })

  test(`owner and thief cannot both go on for ever, nor after a restore (keys: ${keys})`, () => {
    const size: Size = { ...ANYBODY, keys, copies: 1, lootSize: 1, nobodyFollows: true, restores: 1 }
    assert.equal(endless(size, BOTH_SERVED), false)
  })

  test(`a thief who always follows within W is not found: rotation cannot do that (keys: ${keys})`, () => {
    assert.equal(endless({ ...ANYBODY, keys, copies: 1 }, BOTH_SERVED), true)
  })
}

test('nobody holds a session in case 3 for ever', () => {
  assert.equal(endless({ ...ANYBODY, keys: 'stored' }, HELD, BIT.advance), false)
})

test('nobody holds a session in case 3 for ever, nor after a restore', () => {
  const size: Size = { ...ANYBODY, keys: 'stored', lootSize: 1, copies: 1, restores: 1 }
  assert.equal(endless(size, HELD, BIT.advance), false)
})

test('nobody holds a session in case 3 for ever where two nodes count the repeats', () => {
  const size: Size = { ...ANYBODY, keys: 'stored', lootSize: 1, twoNodes: true }
  assert.equal(endless(size, HELD, BIT.advance), false)
})

test('without the bound of a hundred repeats a thief with the key would hold it', () => {
  const { repeatsLeft: _, ...unbounded } = ANYBODY
  assert.equal(endless({ ...unbounded, keys: 'stored' }, HELD, BIT.advance), true)
})
