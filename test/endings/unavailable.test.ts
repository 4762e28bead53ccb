/** If the store cannot write, the answer is 503 and never 200. Once the store is back, no restart is needed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { type Engine, openPostgresEngine, openSqliteEngine } from '../support/engines.ts'
import { claimsOf } from '../support/keys.ts'
import { type OpenedSession, makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { createRandom, freshSeed, givenSeed } from '../support/random.ts'
import { sendJson } from '../support/raw-http.ts'
import { type TestService, startTestService } from '../support/service.ts'

/** Longer than the parallel window, so that a refresh must write. */
const REST_MS = 30_000

describe('SQLite, while another connection holds the lock for longer than anybody waits', () => {
  test('sign-out and refresh answer 503, nothing happens later, and then all goes on', async (t) => {
    const engine = await openSqliteEngine('the machine')
    const service = await startTestService(engine.variables)
    const file = join(engine.variables['DUKTIG_DATA_DIR'] as string, 'duktig.sqlite')
    const holder = new DatabaseSync(file, { timeout: 5000 })
    t.after(async () => {
      holder.close()
      await service.stop()
      await engine.close()
    })
    const opened = await sessionAtRest(engine)
    holder.exec('begin exclusive')
    await assertUnavailable(service, opened)
    holder.exec('rollback')
    await assertUntouched(engine, opened)
    await assertGoesOn(service, opened)
  })
})

describe('PostgreSQL', () => {
  for (const how of ['cut', 'silence'] as const) {
    test(`sign-out and refresh answer 503 after a ${how} of the line, and then all goes on`, async (t) => {
      const { engine, proxy, service } = await behindProxy(t)
      const opened = await sessionAtRest(engine)
      proxy[how]()
      await assertUnavailable(service, opened)
      await assertUntouched(engine, opened)
      proxy.mend()
      await assertGoesOn(service, opened)
    })
  }

  test('sign-out and refresh answer 503 while the server is read-only, and then all goes on', async (t) => {
    const engine = await openPostgresEngine()
    const service = await startTestService(engine.variables)
    t.after(async () => {
      await service.stop()
      await engine.close()
    })
    const opened = await sessionAtRest(engine)
    await setReadOnly(engine, 'on')
    await assertUnavailable(service, opened)
    await assertUntouched(engine, opened)
    await setReadOnly(engine, 'off')
    await assertGoesOn(service, opened)
  })

  test('a line that is cut anywhere in between never makes a false 200, nor signs anybody out', async (t) => {
    const { engine, proxy, service } = await behindProxy(t)
    const seed = givenSeed() ?? freshSeed()
    const random = createRandom(seed)
    t.diagnostic(`seed ${seed}`)
    const statuses = new Map<number, number>()
    for (let round = 0; round < 20; round++) {
      const leaving = await Promise.all(Array.from({ length: 8 }, () => sessionAtRest(engine)))
      const staying = await Promise.all(Array.from({ length: 8 }, () => sessionAtRest(engine)))
      proxy.cutAfter(1 + random.below(random.pick([5_000, 15_000, 60_000])))
      const [ends, refreshes] = await Promise.all([
        Promise.all(leaving.map((opened) => signOut(service, opened))),
        Promise.all(staying.map((opened) => refresh(service, opened))),
      ])
      for (const { status } of [...ends, ...refreshes]) {
        assert.ok(status === 200 || status === 503, `answered ${status}`)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      proxy.mend()
      for (const [i, opened] of leaving.entries())
        if (ends[i]?.status === 200) assert.equal(await endReason(engine, opened), 'signed-out')
      for (const [i, opened] of staying.entries()) await assertAsAnswered(engine, opened, refreshes[i]?.token)
      for (const opened of leaving) assert.ok([200, 401].includes((await signOut(service, opened)).status))
      for (const opened of leaving) assert.equal((await refresh(service, opened)).status, 401)
      // Each client whose answer was lost tries again.
      for (const opened of staying) assert.equal((await refresh(service, opened)).status, 200)
    }
    t.diagnostic(JSON.stringify(Object.fromEntries(statuses)))
    assert.ok(statuses.has(200) && statuses.has(503))
  })
})

async function behindProxy(t: { after(work: () => Promise<void>): void }) {
  const engine = await openPostgresEngine()
  const proxy = await startCuttingProxy(engine.variables['DUKTIG_DATABASE_URL'] as string)
  const service = await startTestService({ ...engine.variables, DUKTIG_DATABASE_URL: proxy.url })
  t.after(async () => {
    await service.stop()
    await proxy.close()
    await engine.close()
  })
  return { engine, proxy, service }
}

/** Applies to new connections. The services' connections are broken, as by a fail-over. */
async function setReadOnly({ sql, variables }: Engine, value: 'on' | 'off'): Promise<void> {
  const name = new URL(variables['DUKTIG_DATABASE_URL'] as string).pathname.slice(1)
  await sql(`alter database ${name} set default_transaction_read_only = ${value}`)
  await sql(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and application_name = 'duktig'`,
  )
}

async function sessionAtRest(engine: Engine): Promise<OpenedSession> {
  const [deps] = engine.deps
  const { application } = await makeApplication(deps)
  const opened = await openSession(deps, await makeAccount(deps), application)
  await engine.pass(opened.session.sessionId, REST_MS)
  return opened
}

async function signOut({ address }: TestService, { refreshToken }: OpenedSession) {
  return sendJson(address, 'DELETE', '/auth/token', { 'Refresh-Token': refreshToken })
}

async function refresh({ address }: TestService, { refreshToken }: OpenedSession) {
  const headers = { 'Refresh-Token': refreshToken }
  const { status, headers: answered, body } = await sendJson(address, 'POST', '/auth/refresh_token', headers)
  return { status, headers: answered, token: body['refresh_token'] as string | undefined }
}

async function assertUnavailable(service: TestService, opened: OpenedSession): Promise<void> {
  const answers = await Promise.all([signOut(service, opened), refresh(service, opened)])
  for (const { status, headers } of answers) {
    assert.equal(status, 503)
    assert.equal(headers['retry-after'], '1')
  }
}

async function assertUntouched(engine: Engine, { session }: OpenedSession): Promise<void> {
  const view = await engine.deps[1].store.readSession(session.sessionId)
  assert.equal(view?.session.endedAtMs, null)
  assert.equal(view?.session.generation, 1)
}

async function assertGoesOn(service: TestService, opened: OpenedSession): Promise<void> {
  assert.equal((await refresh(service, opened)).status, 200)
  assert.equal((await signOut(service, opened)).status, 200)
  assert.equal((await refresh(service, opened)).status, 401)
}

async function endReason(engine: Engine, { session }: OpenedSession): Promise<string | null> {
  const view = await engine.deps[1].store.readSession(session.sessionId)
  return view?.session.endReason ?? null
}

/** Asserts that the committed row agrees with the answer. */
async function assertAsAnswered(
  engine: Engine,
  { session }: OpenedSession,
  token: string | undefined,
): Promise<void> {
  const view = await engine.deps[1].store.readSession(session.sessionId)
  assert.equal(view?.session.endedAtMs, null)
  if (token !== undefined) assert.equal(view?.session.generation, claimsOf(token)['gen'])
}
