/** Web pages of other origins: none may use the API by default, and otherwise only those that the settings name. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addAccount, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, startTestService } from '../support/service.ts'

const PAGE = 'https://app.example.com'
const OTHER = 'https://admin.example.com:8443'

const preflight = (origin: string, method: string, headers = 'access-token') => ({
  Origin: origin,
  'Access-Control-Request-Method': method,
  'Access-Control-Request-Headers': headers,
})

const names = (value: unknown) =>
  String(value)
    .split(',')
    .map((name) => name.trim().toLowerCase())

describe('with origins in the settings', () => {
  let service: TestService
  before(async () => {
    service = await startTestService({
      ...UNLIMITED,
      DUKTIG_CORS_ORIGINS: `${PAGE}, ${OTHER}`,
      DUKTIG_ACCESS_TOKEN_HEADER: 'My-Token',
    })
  })
  after(() => service.stop())

  for (const origin of [PAGE, OTHER]) {
    test(`a page of ${origin} may ask, and is told what it may send`, async () => {
      const answer = await send(service.address, 'OPTIONS', '/auth/token', preflight(origin, 'POST'))
      assert.equal(answer.status, 204)
      assert.equal(answer.text, '')
      assert.equal(answer.headers['access-control-allow-origin'], origin)
      assert.ok(names(answer.headers['access-control-allow-methods']).includes('post'))
      const allowed = names(answer.headers['access-control-allow-headers'])
      for (const name of ['x-auth-key', 'my-token', 'refresh-token', 'authorization', 'content-type']) {
        assert.ok(allowed.includes(name), name)
      }
      for (const name of ['idempotency-key', 'x-device-id']) assert.ok(allowed.includes(name), name)
      assert.ok(names(answer.headers.vary).includes('origin'))
    })
  }

  test('every method of the API may be asked for', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { headers } = await send(service.address, 'OPTIONS', '/user', preflight(PAGE, method))
      assert.ok(names(headers['access-control-allow-methods']).includes(method.toLowerCase()))
    }
  })

  test('an answer says that the page may read it, and which headers', async () => {
    const { headers } = await send(service.address, 'GET', '/system/ping', { Origin: PAGE })
    assert.equal(headers['access-control-allow-origin'], PAGE)
    const exposed = names(headers['access-control-expose-headers'])
    assert.ok(exposed.includes('x-session-end-reason'))
    assert.ok(exposed.includes('retry-after'))
  })

  test('refusals are readable too, so that the page can tell them apart', async () => {
    for (const [method, path, status] of [
      ['GET', '/user', 401],
      ['GET', '/nothing', 404],
    ] as const) {
      const answer = await send(service.address, method, path, { Origin: PAGE })
      assert.equal(answer.status, status)
      assert.equal(answer.headers['access-control-allow-origin'], PAGE, path)
    }
  })

  for (const origin of [
    'https://attacker.example',
    'https://app.example.com.attacker.example',
    'https://xapp.example.com',
    'http://app.example.com',
    'https://app.example.com:444',
    'HTTPS://APP.EXAMPLE.COM',
    `${PAGE}/`,
    'null',
    '*',
  ]) {
    test(`a page of ${origin} may not`, async () => {
      const asked = await send(service.address, 'OPTIONS', '/auth/token', preflight(origin, 'POST'))
      assert.notEqual(asked.headers['access-control-allow-origin'], origin)
      assert.notEqual(asked.headers['access-control-allow-origin'], '*')
      const answer = await send(service.address, 'GET', '/system/ping', { Origin: origin })
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
    })
  }

  test('no page ever sends cookies: there are none', async () => {
    const asked = await send(service.address, 'OPTIONS', '/auth/token', preflight(PAGE, 'POST'))
    assert.equal(asked.headers['access-control-allow-credentials'], undefined)
    const tokens = await signIn(service, (await addAccount(service)).email)
    const own = { 'My-Token': tokens.accessToken, Origin: PAGE }
    const { headers, status } = await send(service.address, 'GET', '/user', own)
    assert.equal(status, 200)
    assert.equal(headers['set-cookie'], undefined)
  })
})

test('without origins in the settings no page may, and OPTIONS is not offered', async () => {
  const service = await startTestService(UNLIMITED)
  try {
    const asked = await send(service.address, 'OPTIONS', '/auth/token', preflight(PAGE, 'POST'))
    assert.equal(asked.status, 404)
    const answer = await send(service.address, 'POST', '/auth/token', {
      Origin: PAGE,
      'X-Auth-Key': AUTH_KEY,
    })
    for (const { headers } of [asked, answer]) {
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith('access-control')),
        [],
      )
    }
  } finally {
    await service.stop()
  }
})
