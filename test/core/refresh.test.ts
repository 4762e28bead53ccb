/** The seven cases of docs/refresh.md ("The decision"), with their boundaries. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DenialCode, SessionOverReason } from '../../src/core/denial.ts'
import { type PresentedToken, type RefreshDecision, decideRefresh } from '../../src/core/refresh.ts'
import type { SessionView } from '../../src/core/session.ts'
import { T0, aView, anAccount, presented } from '../support/sessions.ts'

const G = 20_000
const W = 60_000
const DAY = 86_400_000

const KEEP: RefreshDecision = { kind: 'keep', touch: false }
const TOUCH: RefreshDecision = { kind: 'keep', touch: true }
const END: RefreshDecision = { kind: 'end' }
const advance = (generation: number, attemptKey: string | null = null): RefreshDecision => ({
  kind: 'advance',
  generation,
  attemptKey,
  recovered: false,
})
const recovered = (generation: number): RefreshDecision => ({
  kind: 'advance',
  generation,
  attemptKey: null,
  recovered: true,
})
const repeat = (repeats: number): RefreshDecision => ({ kind: 'repeat', repeats })

/** `after` is in milliseconds since the last rotation. */
type Row = [name: string, view: SessionView, shows: PresentedToken, after: number, decision: RefreshDecision]

function check(rows: readonly Row[]): void {
  for (const [name, view, shows, after, decision] of rows) {
    test(name, () => assert.deepEqual(decideRefresh(view, shows, T0 + after), decision))
  }
}

const plain = aView()
const withKey = aView({ attemptKey: 'k' })
const still = aView({ rotation: false })

describe('case 1: a session that serves nobody is refused, and nothing ends', () => {
  const deny = (denied: DenialCode): RefreshDecision => ({ kind: 'deny', denial: { denied } })
  const over = (reason: SessionOverReason): RefreshDecision => ({
    kind: 'deny',
    denial: { denied: 'session-over', reason },
  })
  const foreign = { ...presented(5), accountId: 8 }
  const stale = presented(3)
  check([
    ['the token of another account', plain, foreign, 0, over('unknown')],
    [
      'an ended session, with its reason',
      aView({ endedAtMs: T0, endReason: 'signed-out' }),
      presented(5),
      1,
      over('signed-out'),
    ],
    ['a session past its absolute end', aView({ expiresAtMs: T0 + DAY }), presented(5), DAY, over('expired')],
    [
      'an old token of an ended session does not end it a second time',
      aView({ endedAtMs: T0, endReason: 'suspended' }),
      stale,
      2 * W,
      over('suspended'),
    ],
    [
      'a newer token than the row of an account that is not active recovers nothing',
      { ...plain, account: anAccount({ status: 2 }) },
      presented(9),
      0,
      deny('account-inactive'),
    ],
    [
      'an old token of an account that is gone ends nothing',
      { ...plain, account: null },
      stale,
      2 * W,
      deny('account-unknown'),
    ],
  ])
})

describe('case 2: without rotation the current token stays good', () => {
  check([
    ['at once', still, presented(5), 0, KEEP],
    ['long after the parallel window', still, presented(5), 4 * W, KEEP],
    ['the use is noted once the last note is six hours old', still, presented(5), 21_600_000, TOUCH],
    ['the use is not noted a millisecond before', still, presented(5), 21_599_999, KEEP],
    [
      'with a limit of rest the use is noted ten times as often as the limit is long',
      aView({ rotation: false }, { idleSeconds: 100 }),
      presented(5),
      10_000,
      TOUCH,
    ],
  ])
})

describe('case 3: while somebody may still be on his way, nothing advances', () => {
  const handedOutLater = aView({ handedOutAtMs: T0 + 50_000 })
  check([
    ['at once', plain, presented(5), 0, KEEP],
    ['a millisecond before the window ends', plain, presented(5), G - 1, KEEP],
    [
      'the window counts from the last hand-out, not from the rotation',
      handedOutLater,
      presented(5),
      50_000 + G - 1,
      KEEP,
    ],
    ['a clock that stepped back makes the age 0', plain, presented(5), -DAY, KEEP],
    ['an attempt key changes nothing', withKey, presented(5, 'new'), 1, KEEP],
    ['a later generation rests too, of a time that a restore lost', plain, presented(6), 0, KEEP],
    ['a much later one until the window ends', plain, presented(40, 'new'), G - 1, KEEP],
    ['recovery counts as a hand-out', handedOutLater, presented(6), 50_000 + G - 1, KEEP],
    ['and not a millisecond longer', handedOutLater, presented(6), 50_000 + G, recovered(7)],
  ])
})

describe('case 4: the current token advances the session', () => {
  check([
    ['when the window ends', plain, presented(5), G, advance(6)],
    ['the attempt key that came along is remembered', plain, presented(5, 'k2'), G, advance(6, 'k2')],
    [
      'a key equal to that of the rotation before counts as none',
      withKey,
      presented(5, 'k'),
      G,
      advance(6, null),
    ],
    [
      'the key of an older rotation is forgotten when none comes along',
      withKey,
      presented(5),
      G,
      advance(6, null),
    ],
  ])
})

describe('case 5a: the attempt key of the rotation repeats its token at any time', () => {
  const repeated = (repeats: number) => aView({ attemptKey: 'k', repeats })
  check([
    ['at once', withKey, presented(4, 'k'), 0, repeat(1)],
    ['a week later', withKey, presented(4, 'k'), 7 * DAY, repeat(1)],
    ['the 100th time', repeated(99), presented(4, 'k'), DAY, repeat(100)],
    ['not the 101st time', repeated(100), presented(4, 'k'), DAY, END],
    [
      'the 101st within the retry window falls under 5b and is not counted',
      repeated(100),
      presented(4, 'k'),
      W,
      repeat(100),
    ],
    ['not for the token two before', withKey, presented(3, 'k'), 0, END],
  ])
})

describe('case 5b: shortly after a rotation the previous token gets the same successor', () => {
  check([
    ['at once', plain, presented(4), 0, repeat(0)],
    ['until the retry window ends', plain, presented(4), W, repeat(0)],
    ['not a millisecond later', plain, presented(4), W + 1, END],
    [
      'a key where the rotation remembers none is no reason to refuse',
      plain,
      presented(4, 'k'),
      W,
      repeat(0),
    ],
    [
      'without the key that the rotation remembers, until the parallel window ends',
      withKey,
      presented(4),
      G,
      repeat(0),
    ],
    ['and not a millisecond later', withKey, presented(4), G + 1, END],
    ['with another key, until the parallel window ends', withKey, presented(4, 'other'), G, repeat(0)],
    ['with another key, not later', withKey, presented(4, 'other'), G + 1, END],
    [
      'the window counts from the rotation, not from the last hand-out, so that nobody extends it',
      aView({ handedOutAtMs: T0 + W }),
      presented(4),
      W + 1,
      END,
    ],
    ['a clock that stepped back makes the age 0', plain, presented(4), -DAY, repeat(0)],
    ['repeats by key stay counted', aView({ repeats: 3 }), presented(4), 1, repeat(3)],
  ])
})

describe('case 6: an old token ends this session', () => {
  check([
    ['two generations old, however fresh the rotation', plain, presented(3), 0, END],
    ['of the first generation', plain, presented(1), DAY, END],
    ['also without rotation', still, presented(4), 0, END],
    [
      'also without rotation when the key is the remembered one',
      aView({ rotation: false, attemptKey: 'k' }),
      presented(4, 'k'),
      0,
      END,
    ],
  ])
})

describe('case 7: a row older than what we signed moves past it', () => {
  check([
    ['by one generation, when the window after the hand-out ends', plain, presented(6), G, recovered(7)],
    ['by many', plain, presented(40), DAY, recovered(41)],
    ['without rotation at once', still, presented(6), 0, recovered(7)],
  ])
})

test('the windows are those of the policy', () => {
  const view = aView({}, { parallelWindowSeconds: 3, retryWindowSeconds: 5 })
  assert.equal(decideRefresh(view, presented(5), T0 + 2999).kind, 'keep')
  assert.equal(decideRefresh(view, presented(5), T0 + 3000).kind, 'advance')
  assert.equal(decideRefresh(view, presented(4), T0 + 5000).kind, 'repeat')
  assert.equal(decideRefresh(view, presented(4), T0 + 5001).kind, 'end')
})
