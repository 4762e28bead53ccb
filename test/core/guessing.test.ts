/** Guards and buckets when the clock is set back: a wait of minutes does not become as long as the step. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAILURES, SIGN_IN_BUCKET, admitAttempt, fill } from '../../src/core/guessing.ts'
import { T0 } from '../support/sessions.ts'

const DAY_MS = 86_400_000

test('a wait is as long as it was set, and one that a clock set back would make longer is over', () => {
  const first = admitAttempt([['stranger', { failures: 9, blockedUntilMs: 0 }]], T0)
  assert.ok(first.admitted)
  const waiting = admitAttempt([['stranger', first.guard]], T0)
  assert.deepEqual(waiting, { admitted: false, retryAfterMs: first.guard.blockedUntilMs - T0 })
  const longest = { failures: 30, blockedUntilMs: T0 + 900_000 }
  assert.equal(
    admitAttempt([['stranger', longest]], T0 - 1).admitted,
    false,
    'by an instance that is a little behind',
  )
  const setBack = admitAttempt([['stranger', first.guard]], T0 - DAY_MS)
  assert.ok(setBack.admitted)
  assert.equal(setBack.guard.failures, 11)
  assert.ok(setBack.guard.blockedUntilMs > T0 - DAY_MS && setBack.guard.blockedUntilMs < T0)
})

test('a clock set back does not give back the failures that an account has had', () => {
  const guard = { failures: FAILURES.stranger, blockedUntilMs: T0 }
  assert.equal(admitAttempt([['stranger', guard]], T0 - DAY_MS).admitted, false)
})

test('a full bucket is full at its time, and leaks also when the clock was set back behind it', () => {
  const full = { level: SIGN_IN_BUCKET.capacity, atMs: T0 }
  assert.deepEqual(fill(full, SIGN_IN_BUCKET, T0), { retryAfterMs: SIGN_IN_BUCKET.leakMs })
  assert.deepEqual(fill(full, SIGN_IN_BUCKET, T0 - DAY_MS), { bucket: { level: 1, atMs: T0 - DAY_MS } })
})
