/** Whether a session still serves its holder: every reason against it, and which of two reasons is reported. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionView } from '../../src/core/session.ts'
import { accessTtlSeconds, lastUseGrainMs, sessionDenial, sessionEndMs } from '../../src/core/session.ts'
import { T0, aSession, aView, anAccount, anApplication } from '../support/sessions.ts'

const ACCOUNT = 7
const DAY = 86_400_000

function denied(view: SessionView, atMs: number, accountId = ACCOUNT): string | null {
  const denial = sessionDenial(view, accountId, atMs)
  return denial === null ? null : [denial.denied, denial.reason].filter(Boolean).join(' ')
}

test('a live session of an active account serves its holder', () => {
  assert.equal(denied(aView(), T0), null)
})

test('the session of another account is none, whatever else is wrong', () => {
  const view = { ...aView({ endedAtMs: T0, endReason: 'reuse' }), account: null }
  assert.equal(denied(view, T0, 8), 'session-over unknown')
})

test('an account that is gone is told before anything about the session', () => {
  const view = { ...aView({ endedAtMs: T0, endReason: 'terminated' }), account: null }
  assert.equal(denied(view, T0 + 90 * DAY), 'account-unknown')
})

for (const status of [0, 2, 3] as const) {
  test(`an account with status ${status} is told so though its session has ended`, () => {
    const view = {
      ...aView({ endedAtMs: T0, endReason: 'suspended' }),
      account: anAccount({ status }),
    }
    assert.equal(denied(view, T0 + 90 * DAY), 'account-inactive')
  })
}

test('a session that ended stays ended when its account is active again', () => {
  assert.equal(denied(aView({ endedAtMs: T0, endReason: 'suspended' }), T0), 'session-over suspended')
})

test('the reason of a session that ended is told before that it expired as well', () => {
  const view = aView({ endedAtMs: T0, endReason: 'reuse' })
  assert.equal(denied(view, T0 + 90 * DAY), 'session-over reuse')
})

test('a session whose application is gone, disabled or was disabled once is over', () => {
  const gone = { ...aView(), application: null }
  const disabled = aView({}, { disabled: true })
  const enabledAgain = aView({}, { epoch: 2 })
  for (const view of [gone, disabled, enabledAgain]) {
    assert.equal(denied(view, T0), 'session-over application-disabled')
  }
})

test('a session serves until the millisecond before its absolute end', () => {
  const view = aView({ expiresAtMs: T0 + DAY })
  assert.equal(denied(view, T0 + DAY - 1), null)
  assert.equal(denied(view, T0 + DAY), 'session-over expired')
})

test('a policy that was tightened reaches living sessions', () => {
  const view = aView({}, { sessionTtlSeconds: 3600 })
  assert.equal(denied(view, T0 + 3_599_999), null)
  assert.equal(denied(view, T0 + 3_600_000), 'session-over expired')
})

test('a policy that was loosened does not lengthen living sessions', () => {
  const session = aSession({ expiresAtMs: T0 + DAY })
  assert.equal(sessionEndMs(session, anApplication({ sessionTtlSeconds: 10 * 86_400 })), T0 + DAY)
})

test('an access token lives as long as the policy says, and not beyond the end that the policy of today gives its session', () => {
  const policy = anApplication({ accessTokenTtlSeconds: 900, sessionTtlSeconds: 3600 })
  assert.equal(accessTtlSeconds(aSession(), policy, T0 + 2_700_000), 900)
  assert.equal(accessTtlSeconds(aSession(), policy, T0 + 2_700_000 + 60_999), 840)
  assert.equal(accessTtlSeconds(aSession({ expiresAtMs: T0 + 600_000 }), policy, T0), 600)
})

test('a session may rest as long as the policy says, and a grain longer', () => {
  const view = aView({}, { idleSeconds: 600 })
  assert.equal(denied(view, T0 + 600_000 + 60_000), null)
  assert.equal(denied(view, T0 + 600_000 + 60_001), 'session-over idle')
})

test('resting counts from the last use', () => {
  const view = aView({ lastUsedAtMs: T0 + DAY }, { idleSeconds: 600 })
  assert.equal(denied(view, T0 + DAY + 600_000), null)
})

test('without a limit of rest no session is idle', () => {
  assert.equal(denied(aView({}, { idleSeconds: 0 }), T0 + 29 * DAY), null)
})

test('a last use in the future, by a clock that stepped back, is no rest', () => {
  assert.equal(denied(aView({ lastUsedAtMs: T0 + DAY }, { idleSeconds: 1 }), T0), null)
})

test('the grain of the last use is a tenth of the limit of rest, at most five minutes', () => {
  const grains = [0, 1, 60, 2999, 3000, 86_400].map((seconds) => lastUseGrainMs(seconds))
  assert.deepEqual(grains, [21_600_000, 100, 6000, 299_900, 300_000, 300_000])
})
