/** Headers with names that the settings choose. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addAccount, signIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, startTestService } from '../support/service.ts'

let service: TestService
let email: string
before(async () => {
  service = await startTestService({
    ...UNLIMITED,
    DUKTIG_AUTH_KEY_HEADER: 'App-Key',
    DUKTIG_ACCESS_TOKEN_HEADER: 'My-Access',
    DUKTIG_REFRESH_TOKEN_HEADER: 'My-Refresh',
  })
  email = (await addAccount(service)).email
})
after(() => service.stop())

async function signedIn(): Promise<{ access: string; refresh: string }> {
  const credentials = { email, password: 'Correct-Horse-1' }
  const { status, body } = await sendJson(
    service.address,
    'POST',
    '/auth/token',
    { 'app-key': AUTH_KEY },
    credentials,
  )
  assert.equal(status, 200)
  return { access: String(body['access_token']), refresh: String(body['refresh_token']) }
}

test('the names of the settings open', async () => {
  const { access, refresh } = await signedIn()
  assert.equal((await send(service.address, 'GET', '/user', { 'MY-ACCESS': access })).status, 200)
  const refreshed = await send(service.address, 'POST', '/auth/refresh_token', { 'my-refresh': refresh })
  assert.equal(refreshed.status, 200)
})

test('the names of the defaults do not', async () => {
  await assert.rejects(signIn(service, email))
  const { access, refresh } = await signedIn()
  assert.equal((await send(service.address, 'GET', '/user', { 'Access-Token': access })).status, 401)
  const refreshed = await send(service.address, 'POST', '/auth/refresh_token', { 'Refresh-Token': refresh })
  assert.equal(refreshed.status, 401)
})

test('the alias of the refresh token and the bearer token always do', async () => {
  const { access, refresh } = await signedIn()
  const bearer = { Authorization: `Bearer ${access}` }
  assert.equal((await send(service.address, 'GET', '/user', bearer)).status, 200)
  const refreshed = await send(service.address, 'POST', '/auth/refresh_token', { 'X-Refresh-Token': refresh })
  assert.equal(refreshed.status, 200)
})

test('the reference names them', async () => {
  const { text } = await send(service.address, 'GET', '/openapi.json')
  for (const name of ['App-Key', 'My-Access']) assert.ok(text.includes(`"${name}"`), name)
})
