/** When the service is too busy, it answers with prebuilt bytes, which on the wire look like any other answer. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { json } from '../../src/http/answer.ts'
import type { ServerOptions } from '../../src/http/server.ts'
import { bareRoute, listenBare } from '../support/bare-server.ts'
import { openConnection } from '../support/raw-socket.ts'

const PAGE = 'https://app.example.com'
const BUSY = json(503, { message: 'später' }, { 'Retry-After': '1' })
const BODY = '{"message":"später"}'
const STATUS = 'HTTP/1.1 503 Service Unavailable'
const JSON_TYPE = 'content-type: application/json; charset=utf-8'
const HEAD = [STATUS, 'cache-control: no-store', 'content-length: 21', JSON_TYPE, 'retry-after: 1']
const KEPT = ['connection: keep-alive', 'keep-alive: timeout=65', 'x-content-type-options: nosniff']
const CLOSING = ['connection: close', 'x-content-type-options: nosniff']

async function listening(t: TestContext, over: Partial<ServerOptions> = {}) {
  let answerSlow = () => {}
  const slow = new Promise<void>((resolve) => {
    answerSlow = resolve
  })
  const full = { ...bareRoute('/full', () => json(200, 'nobody should look at it')), hasRoom: () => false }
  const routes = [
    full,
    { ...full, method: 'POST' as const, operation: { ...full.operation, operationId: 'post' } },
    { ...full, path: '/head', answersHead: true },
    bareRoute('/slow', () => slow.then(() => json(200, 'slow'))),
  ]
  const connection = await openConnection(await listenBare(t, { routes, busy: BUSY, ...over }))
  return { connection, answerSlow }
}

function request(line: string, headers = ''): string {
  return `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`
}

interface Received {
  /** Without the date; sorted, and in lower case except for the first line. */
  readonly head: readonly string[]
  /** Node writes a date; prebuilt bytes cannot contain one. */
  readonly hasDate: boolean
  readonly body: string
}

function answersIn(received: string): readonly Received[] {
  const texts = Buffer.from(received, 'latin1')
    .toString()
    .split(/(?=HTTP\/1\.1)/)
  return texts.map((text) => {
    const end = text.indexOf('\r\n\r\n')
    const [status = '', ...lines] = text.slice(0, end).split('\r\n')
    const all = lines.map((line) => line.toLowerCase())
    const head = all.filter((line) => !line.startsWith('date:'))
    return {
      head: [status, ...head.sort()],
      hasDate: head.length < all.length,
      body: text.slice(end + 4),
    }
  })
}

const kept = { head: sorted([...HEAD, ...KEPT]), hasDate: false, body: BODY }

function sorted([status = '', ...lines]: readonly string[]): readonly string[] {
  return [status, ...lines.sort()]
}

test('a refusal leaves the connection to the next request, also behind a body', async (t) => {
  const { connection } = await listening(t)
  connection.write(request('GET /full'))
  await connection.until(/ter"}$/)
  connection.write(`${request('POST /full', 'Content-Length: 5\r\n')}hello`)
  await connection.until(/(?:ter"}[^]*){2}$/)
  connection.write(request('GET /full'))
  assert.deepEqual(answersIn(await connection.until(/(?:ter"}[^]*){3}$/)), [kept, kept, kept])
})

test('answers keep the order of requests that came at once', async (t) => {
  const { connection, answerSlow } = await listening(t)
  connection.write(request('GET /full').repeat(2) + request('GET /slow') + request('GET /full').repeat(2))
  await connection.until(/(?:ter"}[^]*){2}$/)
  answerSlow()
  const bodies = answersIn(await connection.until(/(?:ter"}[^]*){4}$/)).map(({ body }) => body)
  assert.deepEqual(bodies, [BODY, BODY, '"slow"', BODY, BODY])
})

test('a refusal ends the connection where it is to end', async (t) => {
  const closing = { head: sorted([...HEAD, ...CLOSING]), hasDate: true, body: BODY }
  const { connection } = await listening(t)
  connection.write(request('GET /full', 'Connection: close\r\n'))
  assert.deepEqual(answersIn(await connection.untilClosed()), [closing])
  const { connection: drained } = await listening(t, { isDraining: () => true })
  drained.write(request('GET /full'))
  assert.deepEqual(answersIn(await drained.untilClosed()), [closing])
})

test('a refusal of a HEAD has no body', async (t) => {
  const { connection } = await listening(t)
  connection.write(request('HEAD /head') + request('GET /full', 'Connection: close\r\n'))
  const bodies = answersIn(await connection.untilClosed()).map(({ body }) => body)
  assert.deepEqual(bodies, ['', BODY])
})

test('a web page may read a refusal', async (t) => {
  const { connection } = await listening(t, { corsOrigins: [PAGE] })
  connection.write(request('GET /full', `Origin: ${PAGE}\r\n`))
  const [answer] = answersIn(await connection.until(/ter"}$/))
  const added = [`access-control-allow-origin: ${PAGE}`, 'vary: origin']
  for (const line of [...HEAD, ...added]) assert.ok(answer?.head.includes(line), line)
})
