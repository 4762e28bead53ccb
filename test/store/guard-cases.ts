import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAILURES } from '../../src/core/guessing.ts'
import type { SignInAttempt } from '../../src/store/guard-store.ts'
import { type TestStore, unique } from './engine.ts'

const anAttempt = (): SignInAttempt => ({
  accountKey: unique('account-'),
  sources: ['stranger'],
  bucketKey: unique('bucket-'),
  size: { capacity: FAILURES.stranger, leakMs: 1e9 },
})

export function guardCases(shared: () => TestStore): void {
  const admitted = async (attempt: SignInAttempt) => {
    const admission = await shared().store.admitSignIn(attempt)
    assert.ok(admission.admitted, 'the attempt was refused')
    return { ...attempt, source: admission.source, failures: admission.guard.failures }
  }

  test('an attempt that is taken back has never been: neither its failure, its wait nor its drop', async () => {
    const { store } = shared()
    const attempt = anAttempt()
    for (let i = 0; i < FAILURES.stranger; i++) {
      const counted = await admitted(attempt)
      assert.equal(counted.failures, 1)
      await store.takeBackAttempt(counted)
    }
    for (let i = 1; i <= 5; i++) assert.equal((await admitted(attempt)).failures, i)
    assert.equal((await store.admitSignIn(attempt)).admitted, false)
  })

  test('a wait that others have brought about stays when an attempt before theirs is taken back', async () => {
    const { store } = shared()
    const attempt = anAttempt()
    const first = await admitted(attempt)
    for (let i = 2; i <= 5; i++) await admitted(attempt)
    await store.takeBackAttempt(first)
    assert.equal((await store.admitSignIn(attempt)).admitted, false)
  })

  test('taking back what is forgotten already changes nothing', async () => {
    const { store } = shared()
    const attempt = anAttempt()
    const counted = await admitted(attempt)
    await store.clearGuards(attempt.accountKey)
    await store.takeBackAttempt(counted)
    assert.equal((await admitted(attempt)).failures, 1)
  })
}
