/** Defects of other systems in sessions and tokens, each named after its advisory; docs/defects.md lists them all. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { STATUS } from '../../src/core/account.ts'
import { sessionDenial } from '../../src/core/session.ts'
import { signJws } from '../../src/tokens/jws.ts'
import { randomId } from '../../src/tokens/random-id.ts'
import { authenticate } from '../../src/usecases/authenticate.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { HERE, readOwn, refresh } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'
import { T0, aSession, anAccount, anApplication } from '../support/sessions.ts'

let service: TestService
let beside: Composed & { close(): Promise<void> }
before(async () => {
  service = await startTestService(UNLIMITED)
  beside = await openBeside(service)
})
after(async () => {
  await beside.close()
  await service.stop()
})

async function opened() {
  const { deps } = beside
  return openSession(deps, await makeAccount(deps), (await makeApplication(deps)).application)
}

test('Keycloak CVE-2026-8922, Pocket ID CVE-2026-28513: everything that ends a session ends it alone and together', () => {
  const DAY_MS = 86_400_000
  const session = aSession({ expiresAtMs: T0 + 30 * DAY_MS })
  // Each row changes one thing that must be in order.
  const ends = [
    { account: anAccount({ status: STATUS.suspended }) },
    { account: null },
    { accountId: 8 },
    { session: { endedAtMs: T0, endReason: 'signed-out' as const } },
    { session: { expiresAtMs: T0 } },
    { session: { lastUsedAtMs: T0 - 30 * DAY_MS } },
    { application: { disabled: true } },
    { application: { epoch: 2 } },
    { application: { sessionTtlSeconds: 0 } },
    { noApplication: true },
  ]
  for (let chosen = 0; chosen < 2 ** ends.length; chosen++) {
    const all = ends.filter((_, i) => (chosen & (1 << i)) !== 0)
    const facts = (key: 'session' | 'application') =>
      Object.assign({}, ...all.map((end) => end[key as never]))
    const account = all.some((end) => end.account === null)
      ? null
      : (all.find((end) => end.account !== undefined)?.account ?? anAccount())
    const application = all.some((end) => end.noApplication === true)
      ? null
      : { ...anApplication({ idleSeconds: 3600 }), ...facts('application') }
    const accountId = all.find((end) => end.accountId !== undefined)?.accountId ?? 7
    const view = { session: { ...session, ...facts('session') }, account, application }
    assert.equal(sessionDenial(view, accountId, T0) === null, chosen === 0, JSON.stringify(all))
  }
})

test('Keycloak GHSA-rg35-5v25-mqvp: of a million session ids none comes twice', () => {
  const ids = new Set<string>()
  for (let i = 0; i < 1_000_000; i++) ids.add(randomId())
  assert.equal(ids.size, 1_000_000)
})

test('authentik CVE-2025-29928: a session that another instance ended is over here at once, though it was just used', async () => {
  const { session, accessToken, refreshToken } = await opened()
  for (let i = 0; i < 3; i++) assert.equal((await readOwn(service, accessToken)).status, 200)
  assert.equal(
    await beside.deps.store.endSession(session.accountId, session.sessionId, 'ended-by-administrator'),
    true,
  )
  assert.equal((await readOwn(service, accessToken)).status, 401)
  assert.equal((await refresh(service, refreshToken)).status, 401)
  assert.equal(
    (await send(service.address, 'GET', '/auth/verify', { 'Access-Token': accessToken })).status,
    401,
  )
})

test('Zitadel GHSA-wxg7-w2v3-w38g: a token without an end, though signed by us, is none', async () => {
  const { deps } = beside
  const { session, accessToken } = await opened()
  const claims = JSON.parse(
    Buffer.from(accessToken.split('.')[1] as string, 'base64url').toString(),
  ) as Record<string, unknown>
  const resigned = (over: object) =>
    signJws(deps.keys.signer('access'), JSON.stringify({ ...claims, ...over }))
  assert.ok('session' in (await authenticate(deps, resigned({ jti: 'another' }), HERE)))
  for (const exp of [undefined, null, '9999999999', 1e300, 9_999_999_999.5, [9_999_999_999], true]) {
    const outcome = await authenticate(deps, resigned({ exp }), HERE)
    assert.ok('denied' in outcome && outcome.denied === 'token-invalid', String(exp))
  }
  const past = await authenticate(deps, resigned({ exp: Math.floor(session.createdAtMs / 1000) - 1 }), HERE)
  assert.ok('denied' in past && past.denied === 'token-expired')
})
