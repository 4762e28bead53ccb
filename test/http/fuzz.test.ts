/**
 * Thousands of arbitrary requests over all routes of the OpenAPI document: no fault, no crash, and every answer has a
 * status that the document names. A failure prints its seed, and DUKTIG_TEST_SEED repeats it.
 */
import assert from 'node:assert/strict'
import { type TestContext, after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Log } from '../../src/operations/log.ts'
import { type FuzzRequest, type Genuine, fuzzRequests } from '../support/arbitraries.ts'
import { addAccount, signIn } from '../support/people.ts'
import { type RawAnswer, send } from '../support/raw-http.ts'
import { openConnection, statusOf } from '../support/raw-socket.ts'
import { type RouteFacts, routesOf } from '../support/routes.ts'
import { AUTH_KEY, type TestService, UNLIMITED, startTestService } from '../support/service.ts'

const ROUNDS = 6
const REQUESTS_PER_ROUND = 500
const CONNECTIONS = 400

const seed = Number(process.env['DUKTIG_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const faults: string[] = []
/** The statuses of all answers. If every request failed at the first check, the test would find nothing. */
const seen = new Set<number>()
const MUST_BE_SEEN = [200, 400, 401, 404, 413, 415, 422]
const log: Log = {
  debug() {},
  info() {},
  warn() {},
  error: (...line: readonly unknown[]) => {
    faults.push(JSON.stringify(line))
  },
}

let service: TestService
let routes: readonly RouteFacts[]
before(async () => {
  service = await startTestService({ ...UNLIMITED, DUKTIG_TRUSTED_PROXIES: '127.0.0.1' }, log)
  routes = await routesOf(service.address)
})
after(() => service.stop())

/** Fresh tokens of an administrator or a client, because arbitrary requests also sign out and change passwords. */
async function genuine(round: number): Promise<Genuine> {
  const { email, accountId } = await addAccount(service, { roleId: round % 3 === 2 ? 4 : 1 })
  const { accessToken, refreshToken } = await signIn(service, email)
  const { sid } = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
    sid: string
  }
  return { key: AUTH_KEY, accessToken, refreshToken, ids: [String(accountId), sid, '999999'] }
}

function judge({ route, path, method }: FuzzRequest, { status, text, headers }: RawAnswer): void {
  seen.add(status)
  assert.notEqual(status, 500, text)
  assert.deepEqual(faults, [])
  if (route !== null) {
    const named = statusesNamed(route, path.split('?')[0] ?? '')
    assert.ok(named.includes(status), `${status} is no answer that the document names: ${text}`)
  }
  if (method !== 'HEAD' && String(headers['content-type']).startsWith('application/json')) JSON.parse(text)
}

/**
 * The statuses allowed for a path derived from a route's, which may have become another route's path, or no route's.
 */
function statusesNamed(route: RouteFacts, path: string): readonly number[] {
  const mayBeNobodys = route.path.includes('{') || /%(?![0-9a-f]{2})/i.test(path)
  const nobodys = mayBeNobodys ? [404] : []
  if (segmentsOf(path).length === segmentsOf(route.path).length) return [...route.statuses, ...nobodys]
  const meant = routes.filter((other) => other.method === route.method && fits(other.path, path))
  return [...meant.flatMap(({ statuses }) => statuses), ...nobodys]
}

function fits(pattern: string, path: string): boolean {
  const parts = segmentsOf(path)
  const expected = segmentsOf(pattern)
  const isAlike = (part: string, i: number) => part.startsWith('{') || part === parts[i]
  return parts.length === expected.length && expected.every(isAlike)
}

/** The segments of a path, without empty ones at its end. */
function segmentsOf(path: string): readonly string[] {
  return path.replace(/\/+$/, '').split('/')
}

test('no arbitrary request is a fault', { timeout: 120_000 }, async (t: TestContext) => {
  t.diagnostic(`seed ${seed}`)
  const missing = () => MUST_BE_SEEN.filter((status) => !seen.has(status))
  // Chance may leave a status out; after more rounds, its absence is no longer chance.
  let round = 0
  for (; round < ROUNDS || (round < 4 * ROUNDS && missing().length > 0); round++) {
    const requests = fuzzRequests(routes, await genuine(round))
    const property = fc.asyncProperty(requests, async (request) => {
      const { method, path, headers, body } = request
      judge(request, await send(service.address, method, path, headers, body))
    })
    await fc.assert(property, { seed: seed + round, numRuns: REQUESTS_PER_ROUND, endOnFailure: true })
  }
  t.diagnostic(`${round} rounds`)
  assert.deepEqual(missing(), [])
  assert.equal((await send(service.address, 'GET', '/system/ping')).text, 'pong')
})

test('no arbitrary bytes are a fault', { timeout: 120_000 }, async (t: TestContext) => {
  t.diagnostic(`seed ${seed}`)
  const { accessToken, refreshToken } = await genuine(0)
  const good = [
    'GET /system/ping HTTP/1.1\r\nHost: x\r\n\r\n',
    `GET /user HTTP/1.1\r\nHost: x\r\nAccess-Token: ${accessToken}\r\n\r\n`,
    `POST /auth/refresh_token HTTP/1.1\r\nHost: x\r\nRefresh-Token: ${refreshToken}\r\nContent-Length: 0\r\n\r\n`,
    `POST /auth/token HTTP/1.1\r\nHost: x\r\nX-Auth-Key: ${AUTH_KEY}\r\nContent-Type: application/json\r\n` +
      'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  ].map((text) => Buffer.from(text))
  const damaged = fc
    .record({
      bytes: fc.constantFrom(...good),
      at: fc.nat(),
      removed: fc.nat({ max: 5 }),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom('\r\n', '\0', ' ', ':', '\n').map((c) => Buffer.from(c)),
      ),
      again: fc.boolean(),
    })
    .map(({ bytes, at, removed, put, again }) => {
      const i = at % bytes.length
      const changed = Buffer.concat([bytes.subarray(0, i), put, bytes.subarray(i + removed)])
      return again ? Buffer.concat([changed, bytes]) : changed
    })
  const arbitrary = fc.oneof(
    { weight: 5, arbitrary: damaged },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 1, maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
    },
  )
  const property = fc.asyncProperty(arbitrary, async (bytes) => {
    const connection = await openConnection(service.address)
    connection.write(bytes)
    connection.socket.end()
    const received = await connection.untilClosed()
    assert.notEqual(statusOf(received), 500, received)
    assert.deepEqual(faults, [])
  })
  await fc.assert(property, { seed, numRuns: CONNECTIONS, endOnFailure: true })
  assert.equal((await send(service.address, 'GET', '/system/ping')).text, 'pong')
})
