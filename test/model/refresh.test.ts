/**
 * Every reachable world of these sizes keeps the promises of `docs/refresh.md`: L1 where the owner is alone, S1 to S4
 * and L2 everywhere. `DUKTIG_PROVE=1` adds larger worlds, which take some minutes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore, told } from './explore.ts'
import type { Size } from './world.ts'

interface Row {
  readonly sentence: string
  readonly size: Size
  /** A little below the known number of states: an exploration that shrinks has lost something. */
  readonly atLeast: number
}

const OWNER = { tabs: 2, D: 1, G: 3, W: 9, timed: true } as const
/** Messages may have any age, so one tick each suffices to tell within `G`, within `W` and later apart. */
const ANYBODY = { tabs: 1, D: 0, G: 1, W: 2, timed: false } as const

const OWNER_ROWS: readonly Row[] = [
  {
    sentence: 'two tabs without keys are never signed out, whatever is lost or late',
    size: { ...OWNER, keys: 'none' },
    atLeast: 18_000,
  },
  {
    sentence: 'two tabs without keys are never signed out by two nodes that race',
    size: { ...OWNER, keys: 'none', twoNodes: true },
    atLeast: 30_000,
  },
  {
    sentence: 'two tabs without keys are never signed out, with longer ways and windows',
    size: { ...OWNER, D: 2, G: 5, W: 14, keys: 'none' },
    atLeast: 100_000,
  },
  {
    sentence: 'two tabs without keys outlive a restore while messages are on their way',
    size: { ...OWNER, keys: 'none', restores: 1 },
    atLeast: 280_000,
  },
  {
    sentence: 'replies may take longer than requests as long as both together stay below G',
    size: { ...OWNER, replyD: 2, G: 4, keys: 'none' },
    atLeast: 29_000,
  },
  {
    sentence: 'also over a restore that messages outlast, with keys',
    size: { ...OWNER, replyD: 2, G: 4, keys: 'stored', restores: 1 },
    atLeast: 31_000,
  },
  {
    sentence: 'two tabs with keys may be answered at any time, also twice, by two nodes, over a restore',
    size: { ...OWNER, keys: 'stored', duplicates: true, twoNodes: true, restores: 1 },
    atLeast: 120_000,
  },
  {
    sentence: 'three tabs with keys are never signed out',
    size: { ...OWNER, tabs: 3, keys: 'stored', duplicates: true },
    atLeast: 13_000,
  },
]

const THEFT_ROWS: readonly Row[] = [
  {
    sentence: 'a thief and an administrator, no keys of the owner',
    size: { ...ANYBODY, keys: 'none', lootSize: 2, administrator: true },
    atLeast: 4_300,
  },
  {
    sentence: 'a thief who may have the keys too, and an administrator',
    size: { ...ANYBODY, keys: 'stored', lootSize: 2, administrator: true },
    atLeast: 21_000,
  },
  {
    sentence: 'two tabs, a thief and an administrator, with keys',
    size: { ...ANYBODY, tabs: 2, keys: 'stored', lootSize: 1, administrator: true },
    atLeast: 68_000,
  },
  {
    sentence: 'a second process with an old copy beside the thief',
    size: { ...ANYBODY, keys: 'stored', lootSize: 1, second: true, administrator: true },
    atLeast: 120_000,
  },
  {
    sentence: 'two nodes that read and write in turn while owner, thief and administrator act',
    size: { ...ANYBODY, keys: 'stored', lootSize: 1, twoNodes: true, administrator: true },
    atLeast: 110_000,
  },
  {
    sentence: 'a thief, an administrator and a restored backup',
    size: { ...ANYBODY, keys: 'none', lootSize: 1, administrator: true, restores: 1 },
    atLeast: 210_000,
  },
  {
    sentence: 'a thief who may have the keys, and a restored backup',
    size: { ...ANYBODY, keys: 'stored', lootSize: 1, restores: 1 },
    atLeast: 175_000,
  },
]

const LARGER_ROWS: readonly Row[] = [
  {
    sentence: 'three tabs without keys',
    size: { ...OWNER, tabs: 3, keys: 'none' },
    atLeast: 310_000,
  },
  {
    sentence: 'three tabs without keys and a restore',
    size: { ...OWNER, tabs: 3, W: 7, keys: 'none', restores: 1 },
    atLeast: 1_000_000,
  },
  {
    sentence: 'two tabs without keys and a restore, longer windows',
    size: { ...OWNER, D: 2, G: 5, W: 14, keys: 'none', restores: 1 },
    atLeast: 1_400_000,
  },
  {
    sentence: 'three tabs with keys, duplicates, two nodes and a restore',
    size: { ...OWNER, tabs: 3, keys: 'stored', duplicates: true, twoNodes: true, restores: 1 },
    atLeast: 420_000,
  },
  {
    sentence: 'two tabs with keys, duplicates and two restores',
    size: { ...OWNER, keys: 'stored', duplicates: true, restores: 2 },
    atLeast: 220_000,
  },
  {
    sentence: 'a thief with two tokens, a second process and an administrator, longer windows',
    size: { ...ANYBODY, G: 2, W: 4, keys: 'stored', lootSize: 2, second: true, administrator: true },
    atLeast: 1_000_000,
  },
  {
    sentence: 'a thief with two tokens, an administrator and a restore',
    size: { ...ANYBODY, keys: 'none', lootSize: 2, administrator: true, restores: 1 },
    atLeast: 1_600_000,
  },
  {
    sentence: 'a thief, two nodes and a restore',
    size: { ...ANYBODY, keys: 'none', lootSize: 1, twoNodes: true, restores: 1 },
    atLeast: 1_100_000,
  },
]

const larger = process.env['DUKTIG_PROVE'] === '1' ? LARGER_ROWS : []

for (const { sentence, size, atLeast } of [...OWNER_ROWS, ...THEFT_ROWS, ...larger]) {
  test(`every reachable world keeps the promises: ${sentence}`, (t) => {
    const { states, moves, depth, violation } = explore(size)
    t.diagnostic(`${states} states, ${moves} moves, depth ${depth}`)
    assert.equal(violation && `${violation.broken}: ${told(violation.trace)}`, null)
    assert.ok(states >= atLeast, `only ${states} states`)
  })
}
