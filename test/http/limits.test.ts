/** Request bodies: their size, type, encoding and depth; and requests whose body is not read at all. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { type Tokens, addAccount, signIn } from '../support/people.ts'
import { openConnection, statusOf } from '../support/raw-socket.ts'
import { send } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, startTestService } from '../support/service.ts'

let service: TestService
let tokens: Tokens
before(async () => {
  service = await startTestService(UNLIMITED)
  tokens = await signIn(service, (await addAccount(service)).email)
})
after(() => service.stop())

const JSON_TYPE = { 'Content-Type': 'application/json' }
const TOO_LARGE = '{"status":"error","message":"Payload Too Large"}'
const UNSUPPORTED = '{"status":"error","message":"Unsupported Media Type"}'
const REQUIRED = '["Required valid json string"]'
const SYNTAX = '["Json Error 4: Syntax error. Required valid json string"]'
const DEPTH = '["Json Error 1: Maximum stack depth exceeded. Required valid json string"]'
const UTF8 = '["Json Error 5: Malformed UTF-8 characters. Required valid json string"]'

/** `POST /auth/token` with the key and a body. */
const post = (body: string | Buffer | null, headers: Record<string, string> = JSON_TYPE) =>
  send(service.address, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY, ...headers }, body)

const credentials = JSON.stringify({ email: 'nobody@example.com', password: 'Correct-Horse-1' })

describe('the size of a body', () => {
  const padded = (bytes: number) => credentials.padEnd(bytes)

  test('at the limit is read', async () => {
    assert.equal((await post(padded(LIMITS.bodyBytes))).status, 401)
  })
  test('a byte over it is refused, and the connection ends', async () => {
    const { status, text, headers } = await post(padded(LIMITS.bodyBytes + 1))
    assert.deepEqual([status, text, headers.connection], [413, TOO_LARGE, 'close'])
  })
  test('is counted as it arrives where none was announced', async () => {
    const headers = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
    assert.equal((await post(padded(LIMITS.bodyBytes), headers)).status, 401)
    assert.equal((await post(padded(LIMITS.bodyBytes + 1), headers)).status, 413)
  })
  test('is counted in bytes, not in characters', async () => {
    const wide = JSON.stringify({ email: 'ä'.repeat(LIMITS.bodyBytes / 2), password: '' })
    assert.ok(wide.length < LIMITS.bodyBytes)
    assert.equal((await post(wide)).status, 413)
  })
  test('is refused as soon as it is announced, before it arrives', async () => {
    const connection = await openConnection(service.address)
    connection.write(
      `POST /auth/token HTTP/1.1\r\nHost: x\r\nX-Auth-Key: ${AUTH_KEY}\r\nContent-Type: application/json\r\n` +
        'Content-Length: 1000000000\r\n\r\n{',
    )
    assert.equal(statusOf(await connection.until(/Payload Too Large/)), 413)
    connection.socket.destroy()
  })
})

describe('a body that nobody reads', () => {
  const refused = async (headers: string) => {
    const connection = await openConnection(service.address)
    connection.write(`POST /auth/refresh_token HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`)
    const received = await connection.until(/Unauthorized/)
    assert.equal(statusOf(received), 401)
    return { connection, kept: /\r\nconnection: keep-alive\r\n/i.test(received) }
  }
  for (const headers of ['Content-Length: 100000000000', 'Transfer-Encoding: chunked']) {
    test(`does not keep the service reading after the answer: ${headers}`, async () => {
      const { connection, kept } = await refused(headers)
      assert.equal(kept, false)
      await connection.untilClosed()
    })
  }
  test('may follow the answer if it is short', async () => {
    const { connection, kept } = await refused('Content-Length: 2')
    assert.equal(kept, true)
    connection.write('{}GET /system/ping HTTP/1.1\r\nHost: x\r\n\r\n')
    await connection.until(/pong/)
    connection.socket.destroy()
  })
})

describe('the type of a body', () => {
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
    'application/json ; a=b ; c="d"',
  ]) {
    test(`${type} is read`, async () => {
      assert.equal((await post(credentials, { 'Content-Type': type })).status, 401)
    })
  }
  for (const type of [
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=application/json',
    'application/jsonp',
    'application/json-patch+json',
    'application/vnd.api+json',
    'application/json, text/plain',
    'text/plain; application/json',
    ';;',
    '*/*',
  ]) {
    test(`${type} is not, and the answer says what is`, async () => {
      const { status, text, headers } = await post(credentials, { 'Content-Type': type })
      assert.deepEqual([status, text, headers['accept']], [415, UNSUPPORTED, 'application/json'])
    })
  }
})

describe('a body', () => {
  test('that is compressed is told as that', async () => {
    const { status, text, headers } = await post(credentials, { ...JSON_TYPE, 'Content-Encoding': 'gzip' })
    assert.deepEqual([status, text, headers['accept-encoding']], [415, UNSUPPORTED, 'identity'])
  })
  test('that says it is not compressed is read', async () => {
    assert.equal((await post(credentials, { ...JSON_TYPE, 'Content-Encoding': 'identity' })).status, 401)
  })
})

describe('what is no JSON object', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`
  const rows: [name: string, body: string | Buffer | null, text: string][] = [
    ['no body', null, REQUIRED],
    ['an empty body', '', REQUIRED],
    ['a list', '[]', REQUIRED],
    ['a list with an object', `[${credentials}]`, REQUIRED],
    ['a text', '"{}"', REQUIRED],
    ['a number', '1e999', REQUIRED],
    ['null', 'null', REQUIRED],
    ['white space', ' \n', SYNTAX],
    ['a form', 'email=a%40b.c&password=abc123', SYNTAX],
    ['half an object', credentials.slice(0, -1), SYNTAX],
    ['an object and more', `${credentials}{}`, SYNTAX],
    ['a comment', `${credentials}//`, SYNTAX],
    ['single quotes', "{'a':1}", SYNTAX],
    ['a comma too many', '{"a":1,}', SYNTAX],
    ['NaN', '{"a":NaN}', SYNTAX],
    ['a line break in a text', '{"a":"\n"}', SYNTAX],
    ['a mark of the byte order', `\ufeff${credentials}`, SYNTAX],
    ['UTF-16', Buffer.from(credentials, 'utf16le'), SYNTAX],
    ['nine brackets, never closed', '['.repeat(9), SYNTAX],
    ['as many brackets as allowed, never closed', '['.repeat(512), SYNTAX],
    ['one level too deep', nested(LIMITS.jsonDepth + 1), DEPTH],
    [
      'lists one level too deep',
      `{"a":${'['.repeat(LIMITS.jsonDepth)}${']'.repeat(LIMITS.jsonDepth)}}`,
      DEPTH,
    ],
    ['sixteen thousand brackets', '['.repeat(LIMITS.bodyBytes), DEPTH],
    ['a byte that is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), UTF8],
    ['half a character', Buffer.from([...Buffer.from('{"a":"'), 0xc3, 0x22, 0x7d]), UTF8],
    ['an overlong spelling of a quote', Buffer.from([0x7b, 0xc0, 0xa2, 0x7d]), UTF8],
    [
      'half of a surrogate pair in bytes',
      Buffer.from([...Buffer.from('{"a":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d]),
      UTF8,
    ],
  ]
  for (const [name, body, expected] of rows) {
    test(`${name} is refused`, async () => {
      const { status, text, headers } = await post(body)
      assert.deepEqual([status, text], [400, expected])
      assert.match(String(headers['content-type']), /^application\/json/)
    })
  }
  test('as many levels as PHP reads by default are read, and the rules are applied to what they hold', async () => {
    assert.equal(LIMITS.jsonDepth, 512)
    const whole = ['Required exact values as: email, password']
    for (const levels of [9, 512]) {
      const deep = credentials.replace('{', `{"deep":${nested(levels - 1)},`)
      const { status, text } = await post(deep)
      assert.deepEqual([status, JSON.parse(text)], [422, { account: whole }], `${levels}`)
      const inPlace = await post(`{"email":${nested(levels - 1)},"password":${nested(levels - 1)}}`)
      assert.equal(inPlace.status, 422)
      assert.deepEqual(Object.keys(JSON.parse(inPlace.text) as object), ['email', 'password'])
    }
  })
  test('brackets within a text are no levels', async () => {
    const body = JSON.stringify({ email: '[{"'.repeat(50), password: '\\"[[[[[[[[[[[[' })
    assert.equal((await post(body)).status, 422)
  })
})

test("a stranger's body is never read: the credential is looked at first", async () => {
  const bodies = ['{', 'x'.repeat(LIMITS.bodyBytes + 1), Buffer.from([0xff])]
  for (const body of bodies) {
    const wrong = await send(service.address, 'POST', '/auth/token', { 'Content-Type': ';;' }, body)
    assert.deepEqual([wrong.status, wrong.text], [401, '{"status":"error","message":"Unauthorized"}'])
  }
})

describe('refreshing ignores', () => {
  const rows: [name: string, headers: Record<string, string>, body: string | Buffer | null][] = [
    ['that there is no body', {}, null],
    ['an empty body of the published type', JSON_TYPE, null],
    ['broken JSON', JSON_TYPE, '{'],
    ['JSON', JSON_TYPE, '{"refresh_token":"x"}'],
    ['bytes', JSON_TYPE, Buffer.from([0xff, 0x00])],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=b'],
    ['a broken type', { 'Content-Type': ';;' }, '{}'],
    ['a type of nothing but a slash', { 'Content-Type': '/' }, 'x'],
    ['a type that is no text', { 'Content-Type': '\x80\xff' }, 'x'],
    ['a body over the limit', JSON_TYPE, 'x'.repeat(LIMITS.bodyBytes + 1)],
    ['a body in chunks', { 'Transfer-Encoding': 'chunked' }, 'x'.repeat(1000)],
    ['an encoding that is none', { 'Content-Encoding': 'gzip' }, 'x'],
  ]
  for (const [name, headers, body] of rows) {
    test(name, async () => {
      const all = { 'Refresh-Token': tokens.refreshToken, ...headers }
      const { status, text } = await send(service.address, 'POST', '/auth/refresh_token', all, body)
      assert.equal(status, 200, text)
    })
  }
})
