/** A PostgreSQL that is stopped, restarted, slow or out of reach: seen from outside, the same as with a bad disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { freshDatabase, startPostgres } from '../support/postgres.ts'
import {
  type People,
  assertAllGoesOn,
  assertRefuses,
  peopleFrom,
  untilReady,
  untilRotated,
} from './degraded.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { startReal } from './real-service.ts'

/** Far longer than the service waits for an answer. */
const TOO_SLOW_MS = 4000
/** The delay of each statement in each direction; a request still has time for several statements. */
const SLOW_MS = 50

test('PostgreSQL is stopped under the service, and started again', async (t) => {
  const server = await startPostgres()
  t.after(() => server.stop())
  const { address, people } = await serviceOn(t, server.url)
  await server.crash()
  await assertRefuses(address, people)
  await server.restart()
  await untilReady(address)
  await assertAllGoesOn(address, people)
})

test('PostgreSQL is cut off, then far too slow, then only slow', async (t) => {
  const database = await freshDatabase()
  const proxy = await startCuttingProxy(database.url)
  t.after(async () => {
    await proxy.close()
    await database.drop()
  })
  const { address, people } = await serviceOn(t, proxy.url)
  proxy.cut()
  await assertRefuses(address, people)
  proxy.mend()
  await untilReady(address)
  proxy.slow(TOO_SLOW_MS)
  await assertRefuses(address, people)
  proxy.mend()
  await untilReady(address)
  proxy.slow(SLOW_MS)
  await assertAllGoesOn(address, people)
})

async function serviceOn(t: TestContext, url: string): Promise<{ address: string; people: People }> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-postgres-fault-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const variables = faultVariables(folder, { DUKTIG_DATABASE_URL: url })
  const people = peopleFrom(await populate(variables, 3))
  const service = await startReal(variables)
  t.after(() => service.kill())
  await untilRotated(service.address, people)
  return { address: service.address, people }
}
