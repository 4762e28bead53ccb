/** What the audit trail says of changes of applications. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { changeApplication } from '../../src/usecases/applications.ts'
import { makeApplication } from '../support/opened-session.ts'
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
