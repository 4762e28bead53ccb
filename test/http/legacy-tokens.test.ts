/** Clients that have a refresh token of the original use the service. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SettingsError, readSettings } from '../../src/settings/read-settings.ts'
import { importedAccount } from '../support/legacy-site.ts'
import { LEGACY_VARIABLES, legacyToken } from '../support/legacy.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, openBeside, startTestService } from '../support/service.ts'

const PATH = '/auth/refresh_token'

describe('a client of the original', () => {
  let service: TestService
  before(async () => {
    service = await startTestService(LEGACY_VARIABLES)
    const opened = await openBeside(service)
    const accounts = [7, 8, 9].map((accountId) =>
      importedAccount({ accountId, email: `person${accountId}@example.com` }),
    )
    assert.equal((await opened.deps.store.importAccounts(accounts)).kind, 'imported')
    await opened.close()
  })
  after(() => service.stop())
  const tokenOf = (userId: number) => legacyToken({ userId, email: `person${userId}@example.com` })

  test('refreshes under both names of the header, and is answered as without rotation', async () => {
    const token = await tokenOf(7)
    for (const name of ['X-Refresh-Token', 'Refresh-Token']) {
      const answer = await sendJson(service.address, 'POST', PATH, { [name]: token })
      assert.equal(answer.status, 200)
      assert.deepEqual(Object.keys(answer.body), ['status', 'message', 'access_token', 'expires_in'])
      assert.equal(answer.headers['cache-control'], 'no-store')
      const access = { 'Access-Token': String(answer.body['access_token']) }
      assert.equal((await sendJson(service.address, 'GET', '/user', access)).body['userId'], 7)
    }
  })

  test('sees its session in the list, and is out once somebody ends it there', async () => {
    const token = await tokenOf(8)
    const headers = { 'Refresh-Token': token, 'User-Agent': 'Old client/1' }
    const { body } = await sendJson(service.address, 'POST', PATH, headers)
    const access = { 'Access-Token': String(body['access_token']) }
    const listed = await send(service.address, 'GET', '/account/sessions', access)
    const [session, ...more] = JSON.parse(listed.text) as { sessionId: string; userAgent: string }[]
    assert.deepEqual(more, [])
    assert.equal(session?.userAgent, 'Old client/1')
    const path = `/account/sessions/${session?.sessionId}`
    assert.equal((await send(service.address, 'DELETE', path, access)).status, 200)
    const refused = await send(service.address, 'POST', PATH, headers)
    assert.equal(refused.status, 401)
    assert.equal(refused.text, '{"status":"error","message":"Invalid token"}')
    assert.equal(refused.headers['x-session-end-reason'], 'ended-by-user')
  })

  test('may sign out with its token, used before or not', async () => {
    for (const used of [false, true]) {
      const headers = { 'Refresh-Token': await tokenOf(9) }
      if (used) assert.equal((await send(service.address, 'POST', PATH, headers)).status, 200)
      assert.equal((await send(service.address, 'DELETE', '/auth/token', headers)).status, 200)
      assert.equal((await send(service.address, 'POST', PATH, headers)).status, 401)
    }
  })

  test('may send the application key, but no wrong one', async () => {
    const headers = { 'Refresh-Token': await tokenOf(7) }
    const withKey = (key: string) => send(service.address, 'POST', PATH, { ...headers, 'X-Auth-Key': key })
    assert.equal((await withKey('no-application-key-0001')).status, 401)
    assert.equal((await withKey(AUTH_KEY)).status, 200)
  })

  test('is refused with a token that is not genuine, as with any other', async () => {
    const token = await tokenOf(7)
    const { text, status } = await send(service.address, 'POST', PATH, { 'Refresh-Token': `${token}=` })
    assert.equal(status, 401)
    assert.equal(text, '{"status":"error","message":"Invalid token"}')
  })
})

test('the two secrets of the original are set together or not at all', () => {
  for (const [name, value] of Object.entries(LEGACY_VARIABLES)) {
    assert.throws(
      () => readSettings({ [name]: value }),
      (error) =>
        error instanceof SettingsError && error.mistakes.length === 1 && !error.message.includes(value),
    )
  }
  readSettings(LEGACY_VARIABLES)
})
