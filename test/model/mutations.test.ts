/**
 * Rules that look as good as the real ones but are wrong. The exploration must refute each of them; otherwise it could
 * miss a mistake in the real rules as well.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STATUS } from '../../src/core/account.ts'
import { deny } from '../../src/core/denial.ts'
import { decideRefresh } from '../../src/core/refresh.ts'
import { explore, told } from './explore.ts'
import { NOW_MS, REAL_RULES, type Rules, written } from './rules.ts'
import type { Size } from './world.ts'

type Decide = Rules['decide']

const OWNER = { tabs: 2, D: 1, G: 3, W: 9, timed: true } as const
const ANYBODY = { tabs: 1, D: 0, G: 1, W: 2, timed: false, lootSize: 1 } as const
const TWO_NODES: Size = { ...ANYBODY, keys: 'none', twoNodes: true, administrator: true }

const deciding = (decide: Decide): Rules => ({ ...REAL_RULES, decide })

const strictSingleUse: Decide = (view, presented, nowMs) => {
  const decision = decideRefresh(view, presented, nowMs)
  if (decision.kind === 'deny') return decision
  const { generation, attemptKey } = presented
  if (generation < view.session.generation) return { kind: 'end' }
  return { kind: 'advance', generation: generation + 1, attemptKey, recovered: false }
}

const unboundedRetry: Decide = (view, presented, nowMs) => {
  const decision = decideRefresh(view, presented, nowMs)
  const { generation, repeats } = view.session
  const previous = decision.kind === 'end' && presented.generation === generation - 1
  return previous ? { kind: 'repeat', repeats } : decision
}

const restByRotation: Decide = (view, presented, nowMs) => {
  const session = { ...view.session, handedOutAtMs: view.session.rotatedAtMs }
  return decideRefresh({ ...view, session }, presented, nowMs)
}

const noEnd: Decide = (view, presented, nowMs) => {
  const decision = decideRefresh(view, presented, nowMs)
  return decision.kind === 'end' ? { kind: 'deny', denial: deny('token-invalid') } : decision
}

const aheadUnchecked: Decide = (view, presented, nowMs) => {
  const { session, account } = view
  if (account === null || presented.generation <= session.generation)
    return decideRefresh(view, presented, nowMs)
  const anybody = { ...view, account: { ...account, status: STATUS.active } }
  return decideRefresh(anybody, { ...presented, accountId: session.accountId }, nowMs)
}

const recoveredAtOnce: Decide = (view, presented, nowMs) => {
  const { session } = view
  const ahead = presented.generation > session.generation
  return decideRefresh(
    ahead ? { ...view, session: { ...session, handedOutAtMs: 0 } } : view,
    presented,
    nowMs,
  )
}

/** A case 3 that ends `seconds` after the rotation, whatever was handed out since; 0 leaves no case 3 at all. */
function restAtMost(seconds: number): Rules {
  return deciding((view, presented, nowMs) => {
    const rested = nowMs - view.session.rotatedAtMs >= seconds * 1000
    const session = rested ? { ...view.session, handedOutAtMs: 0 } : view.session
    return decideRefresh({ ...view, session }, presented, nowMs)
  })
}

interface Row {
  readonly sentence: string
  readonly size: Size
  readonly rules: Rules
  readonly breaks: RegExp
}

const KEYED: Size = { ...OWNER, keys: 'stored' }
const UNKEYED: Size = { ...OWNER, keys: 'none' }
const THEFT: Size = { ...ANYBODY, keys: 'none' }

/** Each lacks or weakens one rule of `docs/refresh.md`. */
const SEVEN: readonly Row[] = [
  {
    sentence: 'reading, then writing unconditionally',
    size: { ...UNKEYED, twoNodes: true },
    rules: { ...REAL_RULES, commit: (row, _, decision) => written(row, decision, NOW_MS) },
    breaks: /^S1/,
  },
  { sentence: 'strict single use', size: KEYED, rules: deciding(strictSingleUse), breaks: /^L1/ },
  { sentence: 'no bound on case 5b', size: THEFT, rules: deciding(unboundedRetry), breaks: /^L2/ },
  { sentence: 'case 3 by rotated_at alone', size: KEYED, rules: deciding(restByRotation), breaks: /^L1/ },
  {
    sentence: 'a keep that sends the token again',
    size: UNKEYED,
    rules: { ...REAL_RULES, keepSendsToken: true },
    breaks: /^L1/,
  },
  { sentence: 'no case 6', size: THEFT, rules: deciding(noEnd), breaks: /^L2/ },
  {
    sentence: 'case 7 without the account check',
    size: THEFT,
    rules: deciding(aheadUnchecked),
    breaks: /^S4/,
  },
]

const OTHERS: readonly Row[] = [
  {
    sentence: 'a write that does not look at ended_at',
    size: TWO_NODES,
    rules: {
      ...REAL_RULES,
      commit: (row, readGeneration, decision) =>
        row.generation === readGeneration ? written(row, decision, NOW_MS) : null,
    },
    breaks: /^S2/,
  },
  {
    sentence: 'a repeat that renews rotated_at',
    size: KEYED,
    rules: {
      ...REAL_RULES,
      commit: (row, readGeneration, decision) => {
        const after = REAL_RULES.commit(row, readGeneration, decision)
        return after && decision.kind === 'repeat' ? { ...after, rotatedAtMs: NOW_MS } : after
      },
    },
    breaks: /^S3/,
  },
  { sentence: 'no case 3', size: KEYED, rules: restAtMost(0), breaks: /^L1/ },
  {
    sentence: 'case 3 ended at rotated_at + W + G, with keys',
    size: { ...KEYED, oldest: OWNER.W + OWNER.G + 1 },
    rules: restAtMost(OWNER.W + OWNER.G),
    breaks: /^L1/,
  },
  { sentence: 'G = 2 D', size: { ...KEYED, G: 2 }, rules: REAL_RULES, breaks: /^L1/ },
  {
    sentence: 'a later generation that advances at once, though recovery is a hand-out',
    size: { ...KEYED, restores: 1 },
    rules: deciding(recoveredAtOnce),
    breaks: /^L1/,
  },
  {
    sentence: 'recovery that is no hand-out, though a later generation rests after one',
    size: { ...KEYED, restores: 1 },
    rules: { ...REAL_RULES, recover: (row) => ({ ...row, lastUsedAtMs: NOW_MS }) },
    breaks: /^L1/,
  },
  {
    sentence: 'a restore without the journal',
    size: { ...THEFT, administrator: true, restores: 1, journalLost: true },
    rules: REAL_RULES,
    breaks: /^S2/,
  },
]

for (const { sentence, size, rules, breaks } of [...SEVEN, ...OTHERS]) {
  test(`the exploration refutes: ${sentence}`, (t) => {
    const { states, violation } = explore(size, { rules })
    assert.ok(violation, `not refuted in ${states} states`)
    t.diagnostic(`after ${states} states, ${violation.broken}: ${told(violation.trace)}`)
    assert.match(violation.broken, breaks)
  })
}
