/** `kill -9` at random points under load: what was acknowledged is still so, and no token has two successors. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { freshDatabase } from '../support/postgres.ts'
import { AccountClient, type Client, LeavingClient, RefreshingClient, SigningInClient } from './clients.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { startReal } from './real-service.ts'
import { readStored } from './stored.ts'

const KILLS = Number(process.env['DUKTIG_PROVE_KILLS'] ?? 10)
const isLong = process.env['DUKTIG_PROVE_KILLS'] !== undefined
/** From the start of the process to the first answer that rests on the store; asserted in the long form only. */
const SERVING_MS = 2000
/** Few enough to leave the processor to hashes now and then. */
const SESSIONS = 16
const LEAVING = 100 + 8 * KILLS
/** So often a kill waits until a password was changed and somebody signed in, which takes long beside the rest. */
const WAITS_EVERY = 10

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
  const [one, other, ...holders] = await populate(variables, SESSIONS + LEAVING + 2, {
    everyRefreshRotates: true,
  })
  assert.ok(one && other)
  const refreshing = holders.slice(0, SESSIONS).map((holder) => new RefreshingClient(holder))
  const account = new AccountClient(one)
  const signingIn = new SigningInClient(other)
  const leaving = new LeavingClient(holders.slice(SESSIONS))
  const clients: Client[] = [...refreshing, account, signingIn, leaving]
  let slowestMs = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const stored = await readStored(variables)
    const service = await startReal(variables)
    try {
      const askedMs = performance.now()
      await refreshing[0]?.check(service.address, stored)
      slowestMs = Math.max(slowestMs, service.startedInMs + performance.now() - askedMs)
      for (const client of clients.slice(1)) await client.check(service.address, stored)
      const work = Promise.all(clients.map((client) => client.work(service.address)))
      if (kill % WAITS_EVERY === 0)
        await Promise.race([Promise.all([account.changed.next(), signingIn.signedIn.next()]), work])
      // A random moment is what is asked for here: nothing waits for anything to have happened.
      await wait(randomInt(20, 400))
      await service.kill()
      await work
    } finally {
      await service.kill()
    }
  }
  const stored = await readStored(variables)
  const last = await startReal(variables)
  for (const client of clients) await client.check(last.address, stored)
  await last.stop()
  const acknowledged = {
    rotations: refreshing.reduce((sum, { rotated }) => sum + rotated.count, 0),
    ends: leaving.left.count,
    registrations: account.registered.count,
    'password changes': account.changed.count,
    'sign-ins': signingIn.signedIn.count,
  }
  const counts = Object.entries(acknowledged).map(([what, count]) => `${count} ${what}`)
  const slowest = `slowest time until it served again ${Math.round(slowestMs)} ms`
  t.diagnostic(`${KILLS} kills under ${counts.join(', ')}; ${slowest}`)
  assert.ok(
    acknowledged.rotations > KILLS * SESSIONS,
    'hardly anything rotated, so hardly anything was tested',
  )
  assert.ok(acknowledged.ends > KILLS, 'hardly anything ended, so hardly anything was tested')
  for (const [what, count] of Object.entries(acknowledged)) assert.ok(count > 0, `no ${what}`)
  if (isLong) assert.ok(slowestMs < SERVING_MS, `serving again took ${slowestMs} ms`)
}
