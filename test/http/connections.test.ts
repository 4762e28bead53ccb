/** Bytes that are not HTTP or barely so, doubled headers, and connections that are held open for too long. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { after, before, describe, test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { type Tokens, addAccount, signIn } from '../support/people.ts'
import { bodyOf, openConnection, sendBytes, statusOf } from '../support/raw-socket.ts'
import { send } from '../support/raw-http.ts'
import { serverOf } from '../support/server-of.ts'
import { AUTH_KEY, type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

let service: TestService
let tokens: Tokens
before(async () => {
  service = await startTestService(UNLIMITED)
  tokens = await signIn(service, (await addAccount(service)).email)
})
after(() => service.stop())

const END = 'Host: x\r\nConnection: close\r\n\r\n'
const ping = (headers: string) => `GET /system/ping HTTP/1.1\r\n${headers}${END}`
const chunked = (rest: string) =>
  `POST /auth/refresh_token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${rest}`

describe('what is no request is refused and the connection closed', () => {
  const rows: [name: string, bytes: string | Buffer, statuses: readonly number[]][] = [
    ['words', 'hello\r\n\r\n', [400]],
    ['another version', `GET /system/ping HTTP/9.9\r\n${END}`, [400, 505]],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
    ['an unknown method', `BREW /system/ping HTTP/1.1\r\n${END}`, [400]],
    ['a method in lower case', `get /system/ping HTTP/1.1\r\n${END}`, [400]],
    ['a control character in the path', `GET /system/\x01ping HTTP/1.1\r\n${END}`, [400]],
    ['a space in the path', `GET /system/ping x HTTP/1.1\r\n${END}`, [400]],
    ['no host', 'GET /system/ping HTTP/1.1\r\nConnection: close\r\n\r\n', [400]],
    ['a header without a colon', ping('nonsense\r\n'), [400]],
    ['a space before the colon', ping('Content-Length : 3\r\n'), [400]],
    ['a NUL in a header', ping('X: a\0b\r\n'), [400]],
    ['a header folded onto a second line', ping('X: a\r\n b\r\n'), [400]],
    ['a carriage return alone', ping('X: a\rY: b\r\n'), [400]],
    ['two lengths', ping('Content-Length: 0\r\nContent-Length: 3\r\n'), [400]],
    ['a negative length', ping('Content-Length: -1\r\n'), [400]],
    ['a length in words', ping('Content-Length: 3x\r\n'), [400]],
    ['a length and chunks', ping('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'), [400]],
    ['an unknown transfer encoding', ping('Transfer-Encoding: xchunked\r\n'), [400]],
    ['chunks that are not last', ping('Transfer-Encoding: chunked, identity\r\n'), [400]],
    ['the greeting of TLS', Buffer.from('16030100a5010000a10303', 'hex'), [400]],
    ['an expectation that nobody can meet', ping('Expect: miracles\r\n'), [417]],
  ]
  for (const [name, bytes, statuses] of rows) {
    test(name, async () => {
      const connection = await openConnection(service.address)
      connection.write(bytes)
      connection.socket.end()
      const received = await connection.untilClosed()
      assert.ok(statuses.includes(statusOf(received)), received)
    })
  }

  test('in words, without a cache keeping them', async () => {
    const received = await sendBytes(service.address, 'hello\r\n\r\n')
    assert.equal(bodyOf(received), '{"status":"error","message":"Bad Request"}')
    assert.match(received, /^Cache-Control: no-store\r$/m)
    assert.match(received, /^Connection: close\r$/m)
  })

  test('a broken chunk after a good request line ends the connection, not the process', async () => {
    for (const rest of ['zz\r\n', '5;ext\r\nab', `${'f'.repeat(20)}\r\n`]) {
      const connection = await openConnection(service.address)
      connection.write(chunked(rest))
      connection.socket.end()
      assert.ok([400, 401].includes(statusOf(await connection.untilClosed())), rest)
    }
    assert.equal((await send(service.address, 'GET', '/system/ping')).text, 'pong')
  })
})

describe('headers', () => {
  test('larger than the limit are refused with 431', async () => {
    const received = await sendBytes(service.address, ping(`X: ${'a'.repeat(LIMITS.headerBytes)}\r\n`))
    assert.equal(statusOf(received), 431)
    assert.equal(bodyOf(received), '{"status":"error","message":"Request Header Fields Too Large"}')
  })
  test('many small ones count together', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `X-${i}: abcdefgh\r\n`).join('')
    assert.equal(statusOf(await sendBytes(service.address, ping(many))), 431)
  })
  test('a path larger than the limit is refused as well', async () => {
    const path = `/${'a'.repeat(LIMITS.headerBytes)}`
    assert.equal(statusOf(await sendBytes(service.address, `GET ${path} HTTP/1.1\r\n${END}`)), 431)
  })
  test('just below the limit are read', async () => {
    const received = await sendBytes(service.address, ping(`X: ${'a'.repeat(LIMITS.headerBytes - 200)}\r\n`))
    assert.equal(statusOf(received), 200)
  })
})

describe('a header that came twice', () => {
  const get = (headers: string) => sendBytes(service.address, `GET /user HTTP/1.1\r\n${headers}${END}`)
  const post = (path: string, headers: string) =>
    sendBytes(service.address, `POST ${path} HTTP/1.1\r\nContent-Length: 0\r\n${headers}${END}`)

  test('is no access token, though both are good', async () => {
    const line = `Access-Token: ${tokens.accessToken}\r\n`
    assert.equal(statusOf(await get(line)), 200)
    const received = await get(line + line)
    assert.deepEqual(
      [statusOf(received), bodyOf(received)],
      [401, '{"status":"error","message":"Invalid token"}'],
    )
  })
  test('is no refresh token', async () => {
    const line = `Refresh-Token: ${tokens.refreshToken}\r\n`
    assert.equal(statusOf(await post('/auth/refresh_token', line)), 200)
    assert.equal(statusOf(await post('/auth/refresh_token', line + line)), 401)
  })
  test('is no key', async () => {
    const line = `X-Auth-Key: ${AUTH_KEY}\r\n`
    assert.equal(statusOf(await post('/auth/token', line)), 400)
    assert.equal(statusOf(await post('/auth/token', line + line)), 401)
  })
})

test('requests sent in one go are answered in their order', async () => {
  const first = 'GET /system/ping HTTP/1.1\r\nHost: x\r\n\r\n'
  const received = await sendBytes(
    service.address,
    `${first}GET /user HTTP/1.1\r\nHost: x\r\n\r\n${ping('')}`,
  )
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)
  assert.deepEqual(statuses, ['200', '401', '200'])
})

test('who asks whether to go on is told so, and then answered', async () => {
  const body = JSON.stringify({ email: 'nobody@example.com', password: 'Correct-Horse-1' })
  const connection = await openConnection(service.address)
  connection.write(
    `POST /auth/token HTTP/1.1\r\nX-Auth-Key: ${AUTH_KEY}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n${END}`,
  )
  await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  connection.write(body)
  assert.match(await connection.untilClosed(), /HTTP\/1\.1 401 .*Incorrect credentials/s)
})

describe('who sends slowly', () => {
  test('is cut off by the bounds of the limits', async () => {
    const server = await serverOf(service.address)
    assert.equal(server.headersTimeout, LIMITS.headersMs)
    assert.equal(server.requestTimeout, LIMITS.requestMs)
  })

  test('is cut off soon after his time, not at the next of rare rounds', async () => {
    const slow = await startTestService(UNLIMITED)
    try {
      const server = await serverOf(slow.address)
      // The real time-outs would make this test slow. The interval at which they are checked stays as it is.
      server.headersTimeout = 50
      server.requestTimeout = 50
      const headers = await openConnection(slow.address)
      headers.write('GET /system/ping HTTP/1.1\r\nHost: x\r\nX-Slow: ')
      const body = await openConnection(slow.address)
      body.write(`POST /auth/token HTTP/1.1\r\nHost: x\r\nX-Auth-Key: ${AUTH_KEY}\r\n`)
      body.write('Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
      const startedMs = performance.now()
      assert.equal(statusOf(await headers.untilClosed()), 408)
      assert.ok([400, 408].includes(statusOf(await body.untilClosed())))
      assert.ok(performance.now() - startedMs < 5000)
    } finally {
      await slow.stop()
    }
  })
})

test('who never closes his half of a connection does not hold it', async () => {
  const slow = await startTestService(UNLIMITED)
  try {
    const server = await serverOf(slow.address)
    server.headersTimeout = 50
    const socket = connect({
      port: Number(new URL(slow.address).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    })
    socket.resume()
    await once(socket, 'end')
    const connections = promisify(server.getConnections.bind(server))
    while ((await connections()) > 0) await wait(20)
    socket.destroy()
  } finally {
    await slow.stop()
  }
})

test('what somebody asks for who hangs up at once is recorded with his address, or not done', async () => {
  const { port } = new URL(service.address)
  const request = `GET /account/sessions HTTP/1.1\r\nHost: x\r\nAccess-Token: ${tokens.accessToken}\r\n\r\n`
  const hangUps = Array.from({ length: 40 }, async (_, i) => {
    const socket = connect(Number(port), '127.0.0.1')
    // The service may already have closed the connection, which causes an error.
    socket.on('error', () => {})
    await once(socket, 'connect')
    if (i % 2 === 0) socket.end(request)
    else socket.write(request, () => socket.resetAndDestroy())
    socket.resume()
    await once(socket, 'close')
  })
  await Promise.all(hangUps)
  const { accountId } = await addAccount(service, { email: 'after-them@example.com' })
  await signIn(service, 'after-them@example.com')
  const { deps, close } = await openBeside(service)
  try {
    const recorded = async () => deps.store.latestActions(1000)
    while (!(await recorded()).some((action) => action.accountId === accountId)) await wait(20)
    const addresses = (await recorded())
      .filter(({ code }) => code === 'User->getSessions')
      .map(({ address }) => address)
    assert.deepEqual(
      addresses.filter((address) => address !== '127.0.0.1'),
      [],
    )
  } finally {
    await close()
  }
})
