/** Defects of other systems when something else fails: no access is granted unchecked, no failed change confirmed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { SealError } from '../../src/tokens/seal.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { type ServedFace, serveFace } from '../support/serve-face.ts'
import { AUTH_KEY, type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

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

const down = (): Promise<never> => Promise.reject(new StoreUnavailable('the store is down'))

/** Serves the face over a store some of whose verbs fail. */
function serveOver(failing: Partial<Store>): Promise<ServedFace> {
  const deps = { ...beside.deps, store: { ...beside.deps.store, ...failing } }
  return serveFace(deps, 'production')
}

async function opened() {
  const { deps } = beside
  const account = await makeAccount(deps, { roleId: 1 })
  return openSession(deps, account, (await makeApplication(deps)).application)
}

test('Ory fosite CVE-2020-15223: an end that the store did not write is never answered with success', async () => {
  const { accessToken, refreshToken, session } = await opened()
  const failing = await serveOver({ endSession: down, endSessions: down, changeAccount: down })
  const headers = { 'Access-Token': accessToken }
  const { sessionId, accountId } = session
  const ends: readonly (readonly [method: string, path: string, headers: Record<string, string>])[] = [
    ['DELETE', '/auth/token', headers],
    ['DELETE', '/auth/token', { 'Refresh-Token': refreshToken }],
    ['DELETE', `/account/sessions/${sessionId}`, headers],
    ['DELETE', '/account/sessions', headers],
    ['DELETE', `/users/${accountId}/sessions/${sessionId}`, headers],
    ['DELETE', `/users/${accountId}/sessions`, headers],
  ]
  for (const [method, path, sent] of ends) {
    const answer = await send(failing.base, method, path, sent)
    assert.equal(answer.status, 503, `${method} ${path}`)
    assert.ok(Number(answer.headers['retry-after']) > 0)
  }
  const suspension = await sendJson(failing.base, 'PATCH', `/users/${accountId}`, headers, { status: 2 })
  assert.equal(suspension.status, 503)
  await failing.close()
})

test('NextAuth GHSA-8fpg-xm3f-6cx3: while the store cannot be asked, nobody is let in', async () => {
  const { accessToken, refreshToken } = await opened()
  const failing = await serveOver({
    readSession: down,
    refreshSession: down,
    findApplicationByKey: down,
    findAccountByEmail: down,
  })
  const key = { 'X-Auth-Key': AUTH_KEY }
  const body = { email: 'anybody@example.com', password: 'Correct-Horse-1' }
  const answers = [
    await sendJson(failing.base, 'GET', '/user', { 'Access-Token': accessToken }),
    await sendJson(failing.base, 'GET', '/users?offset=0&limit=1', { 'Access-Token': accessToken }),
    await sendJson(failing.base, 'POST', '/auth/refresh_token', { 'Refresh-Token': refreshToken }),
    await sendJson(failing.base, 'POST', '/auth/token', key, body),
  ]
  const verified = await send(failing.base, 'GET', '/auth/verify', { 'Access-Token': accessToken })
  assert.deepEqual(
    [...answers, verified].map(({ status }) => status),
    [503, 503, 503, 503, 503],
  )
  // A refusal that needs no store stays as it is.
  assert.equal((await sendJson(failing.base, 'GET', '/user', { 'Access-Token': 'x' })).status, 401)
  await failing.close()
})

test('NextAuth GHSA-8fpg-xm3f-6cx3: with a wrong master secret the service does not start', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-secret-'))
  try {
    await (await startTestService({ DUKTIG_DATA_DIR: dataDir })).stop()
    await assert.rejects(
      startTestService({ DUKTIG_DATA_DIR: dataDir, DUKTIG_SECRET: 'another-'.repeat(4) }),
      SealError,
    )
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})
