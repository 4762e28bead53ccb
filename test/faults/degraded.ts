/** What a service says while its store cannot write, and what must be so once it can again. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY } from '../support/service.ts'
import { type Holder, PASSWORD } from './population.ts'

/** Three people, and one who is not registered yet. */
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

/** All that writes is refused clearly; what needs no store goes on. */
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

/** Refreshes until the token has been rotated: from then on each refresh with it is a retry, which writes. */
export async function untilRotated(address: string, people: People): Promise<void> {
  for (;;) {
    const { status, body } = await refresh(address, people.refreshing)
    assert.equal(status, 200)
    if (body['refresh_token'] !== undefined) return
  }
}

/** Settles when the service says that it can serve, which it must by itself; or that it cannot. Its answer may be a second old. */
export async function untilReady(address: string, ready = true): Promise<void> {
  while ((await sendJson(address, 'GET', '/health/ready')).status !== (ready ? 200 : 503)) {
    // The next question; the runner's own time-out bounds them.
  }
}

/** Nothing of what was refused has happened, and all of it can be done now. */
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
