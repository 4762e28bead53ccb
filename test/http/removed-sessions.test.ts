/** Expired sessions are removed some time later, and the holder of a token must not notice when. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { STATUS } from '../../src/core/account.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { refresh } from '../support/people.ts'
import { sendJson } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

let service: TestService
let beside: Composed & { close(): Promise<void> }
before(async () => {
  service = await startTestService(UNLIMITED)
  beside = await openBeside(service)
})
after(async () => {
  await beside.close()
  await service.stop()
})

const STATUSES = [
  ['active', STATUS.active, 401],
  ['suspended', STATUS.suspended, 403],
] as const
for (const [name, status, expected] of STATUSES) {
  test(`the tokens of an expired session are answered alike before and after its removal: ${name} account`, async () => {
    const { store } = beside.deps
    const account = await makeAccount(beside.deps)
    const { application } = await makeApplication(beside.deps, { sessionTtlSeconds: 0 })
    const { session, refreshToken } = await openSession(beside.deps, account, application)
    await store.changeAccount(account.accountId, { status })
    const answers = async () => {
      const refreshed = await refresh(service, refreshToken)
      const signedOut = await sendJson(service.address, 'DELETE', '/auth/token', {
        'Refresh-Token': refreshToken,
      })
      return [refreshed, signedOut].map((answer) => [answer.status, answer.body])
    }
    const earlier = await answers()
    assert.deepEqual(
      earlier.map(([each]) => each),
      [expected, expected],
    )
    await store.removeExpiredSessions(1000)
    assert.equal(await store.readSession(session.sessionId), null)
    assert.deepEqual(await answers(), earlier)
  })
}
