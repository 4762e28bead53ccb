/** `kill -9` at random points under load: what was acknowledged is still so, and no token has two successors. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { freshDatabase } from '../support/postgres.ts'
import { AccountClient, type Client, LeavingClient, RefreshingClient } from './clients.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { startReal } from './real-service.ts'

const KILLS = Number(process.env['DUKTIG_PROVE_KILLS'] ?? 10)
const isLong = process.env['DUKTIG_PROVE_KILLS'] !== undefined
/** From the start of the process to the first answer that rests on the store; asserted in the long form only. */
const SERVING_MS = 2000
const SESSIONS = 40
const LEAVING = 200

test(`SQLite: ${KILLS} kills lose nothing that was acknowledged`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-kill-'))
  try {
    await killAndCheck(t, faultVariables(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test(`PostgreSQL: ${KILLS} kills lose nothing that was acknowledged`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-kill-'))
  const database = await freshDatabase()
  try {
    await killAndCheck(t, faultVariables(folder, { DUKTIG_DATABASE_URL: database.url }))
  } finally {
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }
})

async function killAndCheck(t: TestContext, variables: Record<string, string>): Promise<void> {
  const holders = await populate(variables, SESSIONS + LEAVING + 2)
  const refreshing = holders.slice(0, SESSIONS).map((holder) => new RefreshingClient(holder))
  const accounts = holders.slice(SESSIONS, SESSIONS + 2).map((holder) => new AccountClient(holder))
  const clients: Client[] = [...refreshing, ...accounts, new LeavingClient(holders.slice(SESSIONS + 2))]
  let slowestMs = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const service = await startReal(variables)
    try {
      const askedMs = performance.now()
      await refreshing[0]?.check(service.address)
      slowestMs = Math.max(slowestMs, service.startedInMs + performance.now() - askedMs)
      for (const client of clients) await client.check(service.address)
      const work = clients.map((client) => client.work(service.address))
      // A random moment is what is asked for here: nothing waits for anything to have happened.
      await wait(randomInt(20, 400))
      await service.kill()
      await Promise.all(work)
    } finally {
      await service.kill()
    }
  }
  const last = await startReal(variables)
  for (const client of clients) await client.check(last.address)
  await last.stop()
  const rotations = refreshing.reduce((sum, client) => sum + client.rotations, 0)
  const slowest = `slowest time until it served again ${Math.round(slowestMs)} ms`
  t.diagnostic(`${KILLS} kills, ${rotations} rotations, ${slowest}`)
  assert.ok(rotations > SESSIONS, 'hardly anything rotated, so hardly anything was tested')
  if (isLong) assert.ok(slowestMs < SERVING_MS, `serving again took ${slowestMs} ms`)
}
