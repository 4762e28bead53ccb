/** What a service answers while its store cannot write, and what must hold once it can again. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'
import { type Holder, PASSWORD } from './population.ts'

/** The holders of three sessions, and an email address that is not registered yet. */
export interface People {
  readonly refreshing: Holder
  readonly leaving: Holder
  readonly changing: Holder
  readonly email: string
}

export function peopleFrom([refreshing, leaving, changing]: readonly Holder[]): People {
  assert.ok(refreshing && leaving && changing)
  return { refreshing, leaving, changing, email: `${randomUUID()}@example.com` }
}

/**
 * Asserts that every request that writes is refused with a clear 503, and that requests without the store are served.
 */
export async function assertRefuses(address: string, people: People): Promise<void> {
  const answers = await Promise.all([
    refresh(address, people.refreshing),
    signOut(address, people.leaving),
    register(address, people.email),
    changePassword(address, people.changing),
  ])
  for (const { status, headers, body } of answers) {
    assert.equal(status, 503, JSON.stringify(body))
    assert.equal(headers['retry-after'], '1')
    assert.equal(headers['cache-control'], 'no-store')
  }
  assert.equal((await sendJson(address, 'GET', '/.well-known/jwks.json')).status, 200)
  assert.equal((await sendJson(address, 'GET', '/health/live')).status, 200)
  await untilReady(address, false)
}

/** Refreshes until the token has rotated; from then on, each refresh with the same token is a retry, which writes. */
export async function untilRotated(address: string, people: People): Promise<void> {
  for (;;) {
    const { status, body } = await refresh(address, people.refreshing)
    assert.equal(status, 200)
    if (body['refresh_token'] !== undefined) return
  }
}

/**
 * Waits until `/health/ready` answers 200 or, with `ready` false, 503. The service must recover by itself; its answer
 * may be one second old.
 */
export async function untilReady(address: string, ready = true): Promise<void> {
  while ((await sendJson(address, 'GET', '/health/ready')).status !== (ready ? 200 : 503)) {
    // Asks again at once; the time-out of the test runner bounds this.
  }
}

/** Asserts that nothing that was refused has taken effect, and that all of it succeeds now. */
export async function assertAllGoesOn(address: string, people: People): Promise<void> {
  assert.equal((await signIn(address, people.changing, PASSWORD)).status, 200, 'the password is the old one')
  assert.equal((await refresh(address, people.refreshing)).status, 200)
  assert.equal((await refresh(address, people.leaving)).status, 200, 'the session that was not ended lives')
  assert.equal((await signOut(address, people.leaving)).status, 200)
  assert.equal((await refresh(address, people.leaving)).status, 401)
  assert.equal((await register(address, people.email)).status, 200)
  assert.equal((await changePassword(address, people.changing)).status, 200)
}

function refresh(address: string, { refreshToken }: Holder) {
  const headers = { 'Refresh-Token': refreshToken, 'Idempotency-Key': 'always-the-same' }
  return sendJson(address, 'POST', '/auth/refresh_token', headers)
}

function signOut(address: string, { refreshToken }: Holder) {
  return sendJson(address, 'DELETE', '/auth/token', { 'Refresh-Token': refreshToken })
}

function register(address: string, email: string) {
  const body = { firstName: 'New', lastName: 'One', email, password: PASSWORD, phone: '000000' }
  return sendJson(address, 'POST', '/user', { 'X-Auth-Key': AUTH_KEY }, body)
}

function changePassword(address: string, { accessToken }: Holder) {
  return sendJson(
    address,
    'PATCH',
    '/user',
    { 'Access-Token': accessToken },
    { password: `${randomUUID()}-new` },
  )
}

function signIn(address: string, { email }: Holder, password: string) {
  return sendJson(address, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY }, { email, password })
}
