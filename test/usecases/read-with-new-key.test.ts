/** Tokens of keys that an instance does not know yet: it may have been cut off while another one rotated them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isDenial } from '../../src/core/denial.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { mintAccessToken } from '../../src/tokens/access-token.ts'
import { KeyRing } from '../../src/tokens/key-ring.ts'
import { mintRefreshToken } from '../../src/tokens/refresh-token.ts'
import { createSealer } from '../../src/tokens/seal.ts'
import { authenticate } from '../../src/usecases/authenticate.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { rotateKey } from '../../src/usecases/rotate-key.ts'
import { signOutWithRefreshToken } from '../../src/usecases/sign-out.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { openPostgresEngine, openSqliteEngine } from '../support/engines.ts'
import { NAMES, aKey } from '../support/keys.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { HERE } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { silentLog, startTestService } from '../support/service.ts'
import { aSession } from '../support/sessions.ts'

const INVALID = '{"status":"error","message":"Invalid token"}'
/** How soon an instance serves again after the line was mended: less than `LIMITS.keyReloadMs`. */
const SERVES_AGAIN_MS = 5_000

const PURPOSES = ['access', 'refresh'] as const

interface Pair {
  readonly accessToken: string
  readonly refreshToken: string
}

/** The three ways to present a token, the one that ends the session last. */
const WAYS = [
  { method: 'GET', path: '/user', headers: (pair: Pair) => ({ 'Access-Token': pair.accessToken }) },
  {
    method: 'POST',
    path: '/auth/refresh_token',
    headers: (pair: Pair) => ({ 'Refresh-Token': pair.refreshToken }),
  },
  {
    method: 'DELETE',
    path: '/auth/token',
    headers: (pair: Pair) => ({ 'Refresh-Token': pair.refreshToken }),
  },
] as const

/** Tokens of keys that nobody has. */
function invented(): Pair {
  const session = aSession()
  const account = {
    accountId: 7,
    firstName: 'A',
    lastName: 'S',
    email: 'a@example.com',
    roleId: 4,
    status: 1,
  } as const
  return {
    accessToken: mintAccessToken(aKey('access', 'ES256'), NAMES, session, account, 900, session.createdAtMs)
      .token,
    refreshToken: mintRefreshToken(aKey('refresh', 'HS256'), NAMES, session),
  }
}

const GARBAGE: Pair = { accessToken: 'garbage', refreshToken: 'garbage' }

async function cutOffInstance(t: TestContext) {
  const engine = await openPostgresEngine()
  const proxy = await startCuttingProxy(engine.variables['DUKTIG_DATABASE_URL'] as string)
  const warnings: string[] = []
  const log = { ...silentLog, warn: ({ event }: { event: string }) => void warnings.push(event) }
  const service = await startTestService({ ...engine.variables, DUKTIG_DATABASE_URL: proxy.url }, log)
  t.after(async () => {
    await service.stop()
    await proxy.close()
    await engine.close()
  })
  const answersTo = (pair: Pair) =>
    Promise.all(WAYS.map(({ method, path, headers }) => send(service.address, method, path, headers(pair))))
  return { engine, proxy, service, warnings, answersTo }
}

for (const how of ['cut', 'silence'] as const) {
  test(`an instance that a ${how} kept from new keys refuses none of their tokens, during and after it`, async (t) => {
    const { engine, proxy, service, warnings, answersTo } = await cutOffInstance(t)
    const [rotating, deps] = engine.deps
    const known = deps.keys.all().map(({ kid }) => kid)
    proxy[how]()
    for (const purpose of PURPOSES) await rotateKey(rotating, purpose)
    await engine.sql(
      `update signing_keys set active_at_ms = active_at_ms - ${LIMITS.keyPublishedBeforeUseMs}
       where retire_at_ms is null`,
    )
    await deps.keys.reload()
    for (const purpose of PURPOSES) assert.ok(!known.includes(deps.keys.signer(purpose).kid))
    const { application } = await makeApplication(deps)
    const opened = await openSession(deps, await makeAccount(deps), application)
    const cutMs = performance.now()
    const answers = await Promise.all([opened, ...Array.from({ length: 10 }, invented)].map(answersTo))
    for (const { status } of answers.flat()) assert.equal(status, 503)
    const lines = warnings.filter((event) => event === 'store-unavailable').length
    assert.ok(
      lines <= 1 + (performance.now() - cutMs) / 1000,
      `a flood of invented keys wrote ${lines} lines`,
    )
    for (const { status, text } of await answersTo(GARBAGE)) assert.deepEqual([status, text], [401, INVALID])
    proxy.mend()
    const endMs = performance.now() + SERVES_AGAIN_MS
    for (const { method, path, headers } of WAYS) {
      let status = 503
      while (status === 503 && performance.now() < endMs) {
        ;({ status } = await send(service.address, method, path, headers(opened)))
        if (status === 503) await delay(50)
      }
      assert.equal(status, 200, `${method} ${path}`)
    }
    for (const { status, text } of await answersTo(invented()))
      assert.deepEqual([status, text], [401, INVALID])
  })
}

test('invented keys, whatever they are presented to, read the keys once a second in all', async (t) => {
  const engine = await openSqliteEngine()
  t.after(() => engine.close())
  const { clock, variables } = engine
  assert.ok(clock !== null)
  const [{ store }, other] = engine.deps
  let reads = 0
  const counting = {
    ...store,
    listKeys: () => {
      reads += 1
      return store.listKeys()
    },
  }
  const sealer = createSealer(variables['DUKTIG_SECRET'] as string)
  const keys = await KeyRing.load(counting, store.clock, sealer, 'HS256')
  const deps = { ...engine.deps[0], keys }
  reads = 0
  const presented = async ({ accessToken, refreshToken }: Pair) => [
    await authenticate(deps, accessToken, HERE),
    await refreshSession(deps, { refreshToken, attemptKey: null, application: null, ...HERE }),
    await signOutWithRefreshToken(deps, refreshToken, HERE.address),
  ]
  for (let second = 1; second <= 3; second++) {
    for (let times = 0; times < 50; times++)
      for (const pair of [invented(), GARBAGE])
        for (const outcome of await presented(pair)) assert.deepEqual(outcome, { denied: 'token-invalid' })
    assert.equal(reads, second)
    clock.nowMs += 1000
  }
  const { application } = await makeApplication(other)
  const outcomes = await presented(await openSession(other, await makeAccount(other), application))
  assert.ok(!outcomes.some((outcome) => outcome !== null && isDenial(outcome)))
  assert.equal(reads, 3, 'a good token reads no keys')
})
