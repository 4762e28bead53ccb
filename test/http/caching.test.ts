/** No cache keeps answers with tokens or account data, and no browser guesses their content type. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Tokens, addAccount, readOwn, refresh, signIn, trySignIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { routesOf } from '../support/routes.ts'
import { AUTH_KEY, type TestService, UNLIMITED, startTestService } from '../support/service.ts'

/** The same for everybody, and meant to be cached. */
const PUBLIC = ['/.well-known/jwks.json']

let service: TestService
let email: string
let tokens: Tokens
before(async () => {
  service = await startTestService(UNLIMITED)
  email = (await addAccount(service, { roleId: 1 })).email
  tokens = await signIn(service, email)
})
after(() => service.stop())

test('a sign-in, a refresh and an account are not to be stored', async () => {
  const answers = [
    await trySignIn(service, email),
    await refresh(service, tokens.refreshToken),
    await readOwn(service, tokens.accessToken),
  ]
  for (const { status, headers } of answers) {
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.match(String(headers['content-type']), /^application\/json\b/)
  }
})

test('nor is any other answer, good or bad, of any route', async () => {
  const credentials = [{}, { 'X-Auth-Key': AUTH_KEY, 'Access-Token': tokens.accessToken }]
  // Reading requests come first, because others end sessions.
  const routes = [...(await routesOf(service.address))].sort((a, b) => b.method.length - a.method.length)
  const reading = routes.filter(({ method, path }) => method === 'GET' && !PUBLIC.includes(path))
  const others = routes.filter(({ method }) => method !== 'GET')
  for (const headers of credentials) {
    for (const { method, path } of [...reading, ...others]) {
      const answer = await send(service.address, method, path.replaceAll(/\{\w+\}/g, '999'), headers)
      assert.equal(answer.headers['cache-control'], 'no-store', `${method} ${path}: ${answer.status}`)
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', `${method} ${path}`)
    }
  }
})

test('no answer says which program and version gives it', async () => {
  const { headers } = await send(service.address, 'GET', '/system/ping')
  assert.equal(headers.server, undefined)
  assert.equal(headers['x-powered-by'], undefined)
})
