/** The heads of answers on the wire, except for the date: which headers there are, each of them once. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sendBytes } from '../support/raw-socket.ts'
import { type TestService, UNLIMITED, startTestService } from '../support/service.ts'

const PAGE = 'https://app.example.com'
const JSON_TYPE = 'content-type: application/json; charset=utf-8'
const UNKEPT = 'cache-control: no-store'

interface Row {
  readonly request: string
  readonly headers?: string
  readonly status: string
  readonly head: readonly string[]
  readonly body: string
}

const UNAUTHORIZED = '{"status":"error","message":"Unauthorized"}'
const NOT_FOUND = '{"status":"error","message":"Resource not found"}'
const notFound = { status: '404 Not Found', head: [UNKEPT, JSON_TYPE, 'content-length: 49'] }

const ROWS: readonly Row[] = [
  {
    request: 'GET /system/ping',
    status: '200 OK',
    head: [UNKEPT, 'content-type: text/plain', 'content-length: 4'],
    body: 'pong',
  },
  {
    request: 'GET /user?a=b',
    status: '401 Unauthorized',
    head: [UNKEPT, JSON_TYPE, 'content-length: 43', 'www-authenticate: Bearer realm="duktig"'],
    body: UNAUTHORIZED,
  },
  {
    request: 'GET /user',
    headers: 'Access-Token: bad\r\n',
    status: '401 Unauthorized',
    head: [
      UNKEPT,
      JSON_TYPE,
      'content-length: 44',
      'www-authenticate: Bearer realm="duktig", error="invalid_token"',
    ],
    body: '{"status":"error","message":"Invalid token"}',
  },
  {
    request: 'GET /auth/verify',
    status: '401 Unauthorized',
    head: [
      UNKEPT,
      'content-type: text/plain; charset=utf-8',
      'content-length: 0',
      'www-authenticate: Bearer realm="duktig"',
    ],
    body: '',
  },
  {
    request: 'GET /.well-known/jwks.json',
    status: '200 OK',
    head: ['cache-control: public, max-age=300', JSON_TYPE, 'content-length: 11'],
    body: '{"keys":[]}',
  },
  { request: 'PATCH /nothing', ...notFound, body: NOT_FOUND },
  { request: 'HEAD /user', ...notFound, body: '' },
]

async function answerTo(service: TestService, request: string, headers: string) {
  const bytes = `${request} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`
  const answer = await sendBytes(service.address, bytes)
  const end = answer.indexOf('\r\n\r\n')
  const [status, ...head] = answer.slice(0, end).split('\r\n')
  return { status, head: head.filter((line) => !/^date:/i.test(line)).sort(), body: answer.slice(end + 4) }
}

const exposed =
  'Access-Control-Expose-Headers: X-Session-End-Reason,X-Device-Token,WWW-Authenticate,Retry-After'
const WAYS = [
  { name: 'to anybody', settings: UNLIMITED, sent: '', added: [] },
  {
    name: 'to a page that may ask',
    settings: { ...UNLIMITED, DUKTIG_CORS_ORIGINS: PAGE },
    sent: `Origin: ${PAGE}\r\n`,
    added: ['Vary: Origin', `Access-Control-Allow-Origin: ${PAGE}`, exposed],
  },
]

for (const { name, settings, sent, added } of WAYS) {
  describe(`an answer ${name}`, () => {
    let service: TestService
    before(async () => {
      service = await startTestService(settings)
    })
    after(() => service.stop())

    for (const { request, headers = '', status, head, body } of ROWS) {
      test(`for ${request}${headers && ` with ${headers.trim()}`} has the head of the contract`, async () => {
        const all = [...head, ...added, 'x-content-type-options: nosniff', 'Connection: close']
        const expected = { status: `HTTP/1.1 ${status}`, head: all.sort(), body }
        assert.deepEqual(await answerTo(service, request, sent + headers), expected)
      })
    }
  })
}
