/** Two instances on one PostgreSQL behind a load balancer, restarted in turn under load: nobody notices. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../support/postgres.ts'
import { sendJson } from '../support/raw-http.ts'
import { startBalancer } from './balancer.ts'
import { faultVariables } from './fault-variables.ts'
import { type Holder, populate } from './population.ts'
import { type RealService, startReal } from './real-service.ts'

/** Rounds; in each, both instances are restarted. */
const ROUNDS = Number(process.env['DUKTIG_PROVE_RESTARTS'] ?? 1)
const CLIENTS = 16

test(`${ROUNDS} rolling restarts of two instances under load: no request fails`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-rolling-'))
  const database = await freshDatabase()
  const services: RealService[] = []
  const balancer = await startBalancer()
  t.after(async () => {
    await balancer.close()
    for (const service of services) await service.kill()
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  })
  const variables = [0, 1].map((i) =>
    faultVariables(join(folder, String(i)), {
      DUKTIG_DATABASE_URL: database.url,
      // Both instances have the same secret. The delay is several times what the balancer takes to notice.
      DUKTIG_SECRET: 'a-secret-of-both-instances-for-tests-only',
      DUKTIG_SHUTDOWN_DELAY_SECONDS: '1',
    }),
  )
  const holders = await populate(variables[0] as Record<string, string>, CLIENTS)
  const start = async (at: number) => {
    services[at] = await startReal(variables[at] as Record<string, string>)
    balancer.put(at, services[at].address)
    await balancer.until(at, true)
  }
  await start(0)
  await start(1)

  const over = new AbortController()
  const load = Promise.all(
    holders.map((holder) => refreshAgainAndAgain(balancer.address, holder, over.signal)),
  )
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of [0, 1]) {
      const stopped = services[at]?.stop()
      await balancer.until(at, false)
      await stopped
      await start(at)
    }
  }
  over.abort()
  const refreshes = (await load).reduce((sum, each) => sum + each, 0)
  t.diagnostic(`${refreshes} refreshes`)
  assert.ok(refreshes > CLIENTS * ROUNDS * 10, 'there was hardly any load')
})

/** Refreshes as a client does until `over` is aborted; returns the number of refreshes, all answered 200. */
async function refreshAgainAndAgain(address: string, holder: Holder, over: AbortSignal): Promise<number> {
  let token = holder.refreshToken
  let count = 0
  for (; !over.aborted; count++) {
    const headers = { 'Refresh-Token': token, 'Idempotency-Key': randomUUID() }
    const {
      status,
      body,
      headers: answered,
    } = await sendJson(address, 'POST', '/auth/refresh_token', headers)
    assert.equal(status, 200, JSON.stringify(answered))
    token = (body['refresh_token'] as string | undefined) ?? token
  }
  return count
}
