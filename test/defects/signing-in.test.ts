/** Defects of other systems around signing in, each named after its advisory; docs/defects.md lists them all. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Denial, isDenial } from '../../src/core/denial.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { signIn } from '../../src/usecases/sign-in.ts'
import { legacyToken } from '../support/legacy.ts'
import { type LegacySite, openLegacySite } from '../support/legacy-site.ts'

const PASSWORD = 'Correct-Horse-1'

let site: LegacySite
before(async () => {
  site = await openLegacySite('SQLite')
})
after(() => site.close())

test('authentik CVE-2025-53942: no way in leaves a session of an account that is not active', async () => {
  const { deps } = site
  const application = await deps.store.findApplication(1)
  assert.ok(application)
  const passwordHash = await deps.passwords.hash(PASSWORD)
  const device = { address: '192.0.2.1', userAgent: null, deviceId: null }
  for (const status of [0, 1, 2, 3] as const) {
    const { accountId, email } = await site.takeOver({ status, passwordHash })
    const token = await legacyToken({ userId: accountId, email })
    const outcomes: readonly (object | Denial)[] = [
      await signIn(deps, { application, email, password: PASSWORD, device, deviceToken: '' }),
      await refreshSession(deps, {
        refreshToken: token,
        attemptKey: null,
        application: null,
        address: '192.0.2.1',
      }),
    ]
    const codes = outcomes.map((outcome) => (isDenial(outcome) ? outcome.denied : 'let in'))
    const expected = status === 1 ? 'let in' : 'account-inactive'
    assert.deepEqual(codes, [expected, expected], `status ${status}`)
    const sessions = await deps.store.listSessions(accountId, 10)
    assert.equal(sessions.length, status === 1 ? 2 : 0, `status ${status}`)
  }
})
