/** Paths and methods that the service offers, and all others. */
import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { addAccount, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { sendBytes, statusOf } from '../support/raw-socket.ts'
import { type TestService, UNLIMITED, startTestService } from '../support/service.ts'

const NOT_FOUND = '{"status":"error","message":"Resource not found"}'

let service: TestService
let accessToken: string
before(async () => {
  service = await startTestService(UNLIMITED)
  accessToken = (await signIn(service, (await addAccount(service)).email)).accessToken
})
after(() => service.stop())

test('requests for paths that no route has are counted together', async () => {
  const counted = async () => {
    const { text } = await send(service.metricsAddress, 'GET', '/metrics')
    const line = /^duktig_http_request_duration_seconds_count\{route="unknown",status="404"\} (\d+)$/m.exec(
      text,
    )
    return Number(line?.[1] ?? 0)
  }
  const earlier = await counted()
  for (const path of ['/nothing', '/%zz']) await send(service.address, 'GET', path)
  assert.equal(await counted(), earlier + 2)
})

describe('no such route: 404, though no credential came along', () => {
  const rows: [method: string, path: string][] = [
    ['GET', '/'],
    ['GET', '/nothing'],
    ['GET', '//user'],
    ['GET', '/user//'],
    ['GET', '/USER'],
    ['GET', '/user/..'],
    ['GET', '/./user'],
    ['GET', '/user;a=b'],
    ['GET', '/user%2f'],
    ['GET', '/user%00'],
    ['GET', '/%'],
    ['GET', '/%zz'],
    ['GET', '/us%er'],
    ['GET', '/%c0%80'],
    ['GET', '/%ff'],
    ['GET', '/%E0%A4%A'],
    ['GET', '/users/%'],
    ['GET', '/users/0'],
    ['GET', '/users/-1'],
    ['GET', '/users/01'],
    ['GET', '/users/1e3'],
    ['GET', '/users/1.0'],
    ['GET', '/users/%31%'],
    ['GET', '/users/abc'],
    ['GET', '/users/9999999999999999999999'],
    ['GET', '/users/__proto__'],
    ['GET', `/users/${'1'.repeat(500)}`],
    ['DELETE', '/account/sessions/%'],
    ['DELETE', '/account/sessions/a/b'],
    ['GET', '/auth/token'],
    ['GET', '/auth/refresh_token'],
    ['POST', '/system/ping'],
    ['DELETE', '/user'],
    ['PUT', '/auth/token'],
    ['PATCH', '/auth/token'],
    ['TRACE', '/user'],
    ['OPTIONS', '/user'],
    ['OPTIONS', '*'],
    ['PROPFIND', '/user'],
    ['LINK', '/user'],
    ['PURGE', '/user'],
    ['MKCALENDAR', '/user'],
    ['QUERY', '/user'],
  ]
  for (const [method, path] of rows) {
    test(`${method} ${path.slice(0, 40)}`, async () => {
      const { status, text, headers } = await send(service.address, method, path)
      assert.deepEqual([status, text], [404, NOT_FOUND])
      assert.match(String(headers['content-type']), /^application\/json/)
    })
  }
  test('whatever body comes along, as of a route that is not there none is looked at', async () => {
    const types = [';;', 'application/json', 'text/plain', 'multipart/form-data']
    for (const method of METHODS.filter((one) => one !== 'CONNECT' && one !== 'HEAD')) {
      for (const type of types) {
        const { status, text } = await send(
          service.address,
          method,
          '/nothing',
          { 'Content-Type': type },
          '{',
        )
        assert.deepEqual([status, text], [404, NOT_FOUND], `${method} with ${type}`)
      }
    }
  })
  test('HEAD is offered by the health checks alone, and has no body', async () => {
    for (const path of ['/user', '/system/ping', '/nothing']) {
      const { status, text } = await send(service.address, 'HEAD', path)
      assert.deepEqual([status, text], [404, ''])
    }
    for (const path of ['/health/live', '/health/ready']) {
      const { status, headers, text } = await send(service.address, 'HEAD', path)
      assert.deepEqual([status, headers['content-length'], text], [200, '15', ''])
    }
  })
  test('CONNECT opens nothing', async () => {
    const received = await sendBytes(service.address, 'CONNECT example.com:80 HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.ok([0, 404, 405].includes(statusOf(received)), received)
  })
  test('an upgrade is not offered, the request is answered as it is', async () => {
    const headers =
      'Host: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n'
    const received = await sendBytes(service.address, `GET /system/ping HTTP/1.1\r\n${headers}`)
    assert.equal(statusOf(received), 200)
  })
})

describe('the same route', () => {
  const get = (path: string, headers: Record<string, string> = { 'Access-Token': accessToken }) =>
    send(service.address, 'GET', path, headers)
  for (const path of ['/user', '/user/', '/user?', '/user?a=b&a=c', '/user/?x=%', '/us%65r', '/user#part']) {
    test(path, async () => assert.equal((await get(path)).status, 200))
  }
  test('for every spelling of a header', async () => {
    for (const name of ['access-token', 'ACCESS-TOKEN', 'aCCESS-tOKEN']) {
      assert.equal((await get('/user', { [name]: accessToken })).status, 200)
    }
  })
  test('for a bearer token, in any case of the word and with more spaces', async () => {
    for (const way of ['Bearer', 'bearer', 'BEARER', 'Bearer   ']) {
      assert.equal((await get('/user', { Authorization: `${way} ${accessToken}` })).status, 200)
    }
  })
  test('and no other way of authorization', async () => {
    const basic = Buffer.from(`x:${accessToken}`).toString('base64')
    for (const value of [`Basic ${basic}`, `Token ${accessToken}`, accessToken, 'Bearer', 'Bearer ']) {
      assert.equal((await get('/user', { Authorization: value })).status, 401, value)
    }
  })
  test('the header of the access token goes before the bearer token', async () => {
    const both = { 'Access-Token': 'nonsense', Authorization: `Bearer ${accessToken}` }
    assert.equal((await get('/user', both)).status, 401)
  })
})
