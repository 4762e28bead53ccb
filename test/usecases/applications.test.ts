/** Changes of applications: what the audit trail records, and what happens to their sessions. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { changeApplication } from '../../src/usecases/applications.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { type TestService, openBeside, startTestService } from '../support/service.ts'

let service: TestService
let beside: Composed & { close(): Promise<void> }
before(async () => {
  service = await startTestService()
  beside = await openBeside(service)
})
after(async () => {
  await beside.close()
  await service.stop()
})

for (const [change, told] of [
  [{ disabled: true }, 'disabled'],
  [{ disabled: false }, 'enabled'],
  [{ idleSeconds: 60, disabled: false }, 'idleSeconds, enabled'],
  [{ rotation: false, name: 'Other' }, 'rotation, name'],
] as const) {
  test(`a change is recorded as ${told}`, async () => {
    const { deps } = beside
    const { application } = await makeApplication(deps)
    await changeApplication(deps, application, change)
    await deps.events.flush()
    const [last] = await deps.store.latestActions(1)
    assert.equal(last?.message, `Application ${application.clientId} changed: ${told}`)
  })
}

test('no access token outlives a session whose life was shortened', async () => {
  const { deps } = beside
  const { application } = await makeApplication(deps, { accessTokenTtlSeconds: 900 })
  const { session, refreshToken } = await openSession(deps, await makeAccount(deps), application)
  await changeApplication(deps, application, { sessionTtlSeconds: 300 })
  const refreshed = await refreshSession(deps, {
    refreshToken,
    attemptKey: null,
    application: null,
    address: '192.0.2.1',
    device: () => ({ address: '192.0.2.1', userAgent: null, deviceId: null }),
  })
  assert.ok('expiresAtSeconds' in refreshed)
  assert.equal(refreshed.expiresAtSeconds, Math.floor(session.createdAtMs / 1000) + 300)
})
