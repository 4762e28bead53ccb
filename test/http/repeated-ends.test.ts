/** Who asks again after a 503 is told of an end only once the journal has it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import type { JournalEntry } from '../../src/store/journal.ts'
import { journaled } from '../../src/store/journaled.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { sendJson } from '../support/raw-http.ts'
import { type ServedFace, serveFace } from '../support/serve-face.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

const entries: JournalEntry[] = []
const journal = {
  fails: false,
  covers: () => false,
  async append(more: readonly JournalEntry[]) {
    if (journal.fails) throw new StoreUnavailable('the disk is full')
    entries.push(...more)
  },
  isSetBack: false,
}

let service: TestService
let beside: Composed & { close(): Promise<void> }
let face: ServedFace
before(async () => {
  service = await startTestService(UNLIMITED)
  beside = await openBeside(service)
  face = await serveFace({ ...beside.deps, store: journaled(beside.deps.store, journal) }, 'production')
})
after(async () => {
  await face.close()
  await beside.close()
  await service.stop()
})

const WAYS: readonly (readonly [
  path: (sessionId: string) => string,
  token: 'accessToken' | 'refreshToken',
])[] = [
  [() => '/auth/token', 'refreshToken'],
  [() => '/auth/token', 'accessToken'],
  [() => '/account/sessions', 'accessToken'],
  [(sessionId) => `/account/sessions/${sessionId}`, 'accessToken'],
]
for (const [path, token] of WAYS) {
  test(`DELETE ${path('{sessionId}')} with the ${token}`, async () => {
    const { deps } = beside
    const account = await makeAccount(deps)
    const { application } = await makeApplication(deps)
    const opened = await openSession(deps, account, application)
    const other = await openSession(deps, account, application)
    const { sessionId } = opened.session
    const header = token === 'accessToken' ? 'Access-Token' : 'Refresh-Token'
    const end = async () =>
      (await sendJson(face.base, 'DELETE', path(sessionId), { [header]: opened[token] })).status
    journal.fails = true
    assert.equal(await end(), 503)
    assert.notEqual((await deps.store.readSession(sessionId))?.session.endedAtMs, null)
    assert.equal(await end(), 503, 'the journal does not have the end yet')
    journal.fails = false
    assert.equal(await end(), 401)
    const isWritten = (id: string) =>
      entries.some((entry) => entry.kind === 'session' && entry.sessionId === id)
    assert.equal(isWritten(sessionId), true)
    assert.equal(isWritten(other.session.sessionId), path('') === '/account/sessions')
  })
}

test('a session that is over without having been ended keeps its reason when its holder signs out', async () => {
  const { deps } = beside
  const account = await makeAccount(deps)
  const { application } = await makeApplication(deps)
  const { accessToken, session } = await openSession(deps, account, application)
  await deps.store.changeApplication(application.applicationId, { disabled: true })
  for (const path of ['/auth/token', '/account/sessions']) {
    const { status, headers } = await sendJson(face.base, 'DELETE', path, { 'Access-Token': accessToken })
    assert.deepEqual([status, headers['x-session-end-reason']], [401, 'application-disabled'])
  }
  assert.equal((await deps.store.readSession(session.sessionId))?.session.endedAtMs, null)
})
