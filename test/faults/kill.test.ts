/** `kill -9` at random points under load: everything acknowledged persists, and no token has two successors. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { freshDatabase } from '../support/postgres.ts'
import { RefreshingClient } from './clients.ts'
import { Crowd, holdersFor, told } from './crowd.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { startReal } from './real-service.ts'
import { readStored } from './stored.ts'

const KILLS = Number(process.env['DUKTIG_PROVE_KILLS'] ?? 10)
const isLong = process.env['DUKTIG_PROVE_KILLS'] !== undefined
/** On a busy machine little happens in a short life, so there are more kills until enough has happened. */
const MOST_KILLS = isLong ? KILLS : 5 * KILLS
/** From the start of the process to the first answer that needs the store; asserted in the long form only. */
const SERVING_MS = 2000
/** Refreshing clients, few enough to leave some processor time to password hashes. */
const REFRESHING = 16
/**
 * One kill in this many waits until a password change and a sign-in are acknowledged, which takes long under this load.
 */
const HASHES_EVERY = 10

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
  const count = 1 + holdersFor(REFRESHING, MOST_KILLS)
  const [one, ...holders] = await populate(variables, count, { everyRefreshRotates: true })
  assert.ok(one)
  const first = new RefreshingClient(one)
  const crowd = new Crowd(holders, REFRESHING)
  let slowestMs = 0
  let kills = 0
  for (; kills < KILLS || (kills < MOST_KILLS && missing(crowd).length > 0); kills++) {
    const stored = await readStored(variables)
    const service = await startReal(variables)
    try {
      const askedMs = performance.now()
      await first.once(service.address)
      slowestMs = Math.max(slowestMs, service.startedInMs + performance.now() - askedMs)
      await crowd.check(service.address, stored)
      const end = async () => {
        // The wait only chooses a random moment for the kill; no event is awaited.
        await wait(randomInt(20, 400))
        await service.kill()
      }
      await crowd.work(service.address, end, { hashes: kills % HASHES_EVERY === 0 })
    } finally {
      await service.kill()
    }
  }
  const stored = await readStored(variables)
  const last = await startReal(variables)
  try {
    await crowd.check(last.address, stored)
  } finally {
    await last.stop()
  }
  const slowest = `slowest time until it served again ${Math.round(slowestMs)} ms`
  t.diagnostic(`${kills} kills, ${told(crowd.acknowledged())}; ${slowest}`)
  assert.deepEqual(missing(crowd), [], 'of these hardly any were acknowledged, so hardly anything was tested')
  if (isLong) assert.ok(slowestMs < SERVING_MS, `serving again took ${slowestMs} ms`)
}

/** What was acknowledged too rarely for a proof. */
function missing(crowd: Crowd): readonly string[] {
  const more: Readonly<Record<string, number>> = { rotations: KILLS * REFRESHING, ends: KILLS }
  const counts = Object.entries(crowd.acknowledged())
  return counts.filter(([what, count]) => count <= (more[what] ?? 0)).map(([what]) => what)
}
