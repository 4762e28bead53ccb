/** Defects of other systems around refreshing, each named after its advisory; docs/defects.md lists them all. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { importedAccount } from '../support/legacy-site.ts'
import { LEGACY_VARIABLES, legacyToken } from '../support/legacy.ts'
import { PASSWORD, addAccount, readOwn, refresh } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

/** With the shortest windows, so that a token is old after two seconds. */
const ROTATING = {
  ...UNLIMITED,
  ...LEGACY_VARIABLES,
  DUKTIG_REFRESH_ROTATION: 'on',
  DUKTIG_REFRESH_PARALLEL_WINDOW_SECONDS: '1',
  DUKTIG_REFRESH_RETRY_WINDOW_SECONDS: '1',
}

const folder = mkdtempSync(join(tmpdir(), 'duktig-defects-'))
const start = () => startTestService({ ...ROTATING, DUKTIG_DATA_DIR: folder })

let service: TestService
before(async () => {
  service = await start()
})
after(async () => {
  await service.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Signed {
  readonly refreshToken: string
  readonly accessToken: string
}

async function signInAt(path: string): Promise<Signed> {
  const { email } = await addAccount(service)
  const body = { email, password: PASSWORD }
  const answer = await sendJson(service.address, 'POST', path, { 'X-Auth-Key': AUTH_KEY }, body)
  assert.equal(answer.status, 200)
  return {
    refreshToken: answer.body['refresh_token'] as string,
    accessToken: answer.body['access_token'] as string,
  }
}

/** Refreshes as if `aheadMs` had gone by. */
async function refreshLater(deps: Deps, refreshToken: string, aheadMs: number): Promise<string | null> {
  const { store } = deps
  const later: Deps = {
    ...deps,
    store: {
      ...store,
      refreshSession: (request) =>
        store.refreshSession({
          ...request,
          decide: (view, presented, nowMs) => request.decide(view, presented, nowMs + aheadMs),
        }),
    },
  }
  const request = { refreshToken, attemptKey: null, application: null, address: '127.0.0.1' }
  const outcome = await refreshSession(later, request)
  return 'accessToken' in outcome ? outcome.refreshToken : null
}

/** Rotates the session twice. Returns its first token, which is old then, and its newest. */
async function rotatedTwice(first: string): Promise<{ readonly old: string; readonly leaf: string }> {
  const { deps, close } = await openBeside(service)
  const second = await refreshLater(deps, first, 2_000)
  assert.ok(second !== null)
  const leaf = await refreshLater(deps, second, 4_000)
  assert.ok(leaf !== null)
  await close()
  return { old: first, leaf }
}

test('Keycloak CVE-2026-9802: a token that was rotated away is old after a restart too', async () => {
  const { old, leaf } = await rotatedTwice((await signInAt('/auth/token')).refreshToken)
  await service.stop()
  service = await start()
  const answer = await refresh(service, old)
  assert.deepEqual([answer.status, answer.headers['x-session-end-reason']], [401, 'reuse'])
  assert.equal((await refresh(service, leaf)).status, 401)
})

test('Keycloak #52666: with rotation on, reuse is found whichever route signed in; a session taken over from the original does not rotate', async () => {
  for (const path of ['/auth/token', '/auth/login']) {
    const { old } = await rotatedTwice((await signInAt(path)).refreshToken)
    const { status, headers } = await refresh(service, old)
    assert.deepEqual([status, headers['x-session-end-reason']], [401, 'reuse'], path)
  }
  // The original's clients keep no new token (docs/moving-over.md), so theirs never becomes an old one.
  const account = { accountId: 9001, email: 'taken-over@example.com' }
  const token = await legacyToken({ userId: account.accountId, email: account.email })
  const { deps, close } = await openBeside(service)
  assert.equal((await deps.store.importAccounts([importedAccount(account)])).kind, 'imported')
  for (const aheadMs of [0, 2_000, 4_000]) assert.equal(await refreshLater(deps, token, aheadMs), null)
  const [session] = await deps.store.listSessions(account.accountId, 1)
  assert.deepEqual([session?.rotation, session?.generation], [false, 1])
  await close()
  assert.equal((await refresh(service, token)).status, 200)
})

test('Supabase #2624: after reuse was found the newest token of the session is dead, for every operation', async () => {
  const first = await signInAt('/auth/token')
  const { old, leaf } = await rotatedTwice(first.refreshToken)
  assert.equal((await readOwn(service, first.accessToken)).status, 200)
  assert.equal((await refresh(service, old)).status, 401)
  for (const token of [leaf, old, first.refreshToken]) {
    assert.equal((await refresh(service, token)).status, 401)
    const headers = { 'Refresh-Token': token }
    assert.equal((await send(service.address, 'DELETE', '/auth/token', headers)).status, 401)
  }
  assert.equal((await readOwn(service, first.accessToken)).status, 401)
})

test('docs/refresh.md: a keep gives no refresh token, so that a late answer overwrites no newer one', async () => {
  const { refreshToken } = await signInAt('/auth/token')
  const { status, body } = await refresh(service, refreshToken)
  assert.deepEqual([status, 'refresh_token' in body], [200, false])
})
