/** Power cuts under load on SQLite: everything acknowledged persists; with a store that does not sync, it does not. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Violation } from './asking.ts'
import { Crowd, holdersFor, told } from './crowd.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { cutPower } from './power-cut.ts'
import { startReal } from './real-service.ts'
import { buildShim, reason, skip } from './shim.ts'
import { readStored } from './stored.ts'

const CUTS = Number(process.env['DUKTIG_PROVE_POWER_CUTS'] ?? 5)
const REFRESHING = 16
/** One cut in this many waits until a password change and a sign-in are acknowledged. */
const HASHES_EVERY = 10
const root = fileURLToPath(new URL('../..', import.meta.url))

let folder: string
let shim: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'duktig-power-'))
  if (!skip) shim = buildShim('unsynced', folder)
})

after(() => rmSync(folder, { recursive: true, force: true }))

test(`${CUTS} power cuts lose nothing that was acknowledged${reason}`, { skip }, async (t) => {
  const { lost, crowd } = await cutAndCheck('full', CUTS)
  const acknowledged = crowd.acknowledged()
  t.diagnostic(`${lost} writes lost in ${CUTS} cuts, ${told(acknowledged)}`)
  assert.ok(lost > 0, 'every write had been synced, so nothing was tested')
  for (const [what, times] of Object.entries(acknowledged)) assert.ok(times > 0, `no ${what}`)
})

test(`the same cuts lose answers of a store with synchronous=NORMAL${reason}`, { skip }, async () => {
  const main = copyWithout('pragma synchronous = full', 'pragma synchronous = normal')
  // Either a client notices, or the start does: the journal, which is synced, has an end that the database lost.
  const isSeen = (error: Error) => error instanceof Violation || /older than the journal/.test(error.message)
  await assert.rejects(cutAndCheck('normal', 20, main), isSeen, 'the rig does not see what is lost')
})

/**
 * Lets the crowd work, cuts the power, starts again and checks, `cuts` times. `lost` counts the lost writes. The power
 * goes at a random moment or, unless another program is given as `main`, during a sync: that program, with its text
 * replaced, hardly waits for any.
 */
async function cutAndCheck(name: string, cuts: number, main?: string) {
  const data = join(folder, name)
  const variables = faultVariables(data)
  const holders = await populate(variables, holdersFor(REFRESHING, cuts), { everyRefreshRotates: true })
  const crowd = new Crowd(holders, REFRESHING)
  let lost = 0
  for (let cut = 0; cut < cuts; cut++) {
    const log = join(folder, `${name}-${cut}.log`)
    const armed = join(folder, `${name}-${cut}.armed`)
    const environment = {
      LD_PRELOAD: shim,
      UNSYNCED_DIR: data,
      UNSYNCED_LOG: log,
      UNSYNCED_KILL_AT: String(randomInt(1, 100)),
      UNSYNCED_KILL_FILE: armed,
    }
    const stored = await readStored(variables)
    const service = await startReal(variables, { environment, ...(main === undefined ? {} : { main }) })
    try {
      await crowd.check(service.address, stored)
      const end = async () => {
        if (cut % 3 > 0 && main === undefined) return writeFileSync(armed, '')
        await wait(randomInt(50, 400))
        await service.kill()
      }
      await crowd.work(service.address, end, { hashes: cut % HASHES_EVERY === 0 })
    } finally {
      await service.kill()
    }
    // All unsynced writes are lost, or a random part of them: a disk writes in any order.
    const keep = cut % 2 === 0 ? () => false : () => randomInt(2) === 1
    if (existsSync(log)) lost += cutPower(data, log, keep)
    rmSync(log, { force: true })
  }
  const stored = await readStored(variables)
  const last = await startReal(variables)
  try {
    await crowd.check(last.address, stored)
  } finally {
    await last.stop()
  }
  return { lost, crowd }
}

/** Copies the program with `text` replaced by `other` in `open-database.ts`. Returns the path of the copy's main file. */
function copyWithout(text: string, other: string): string {
  const copy = join(folder, 'copy')
  for (const part of ['src', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const file = join(copy, 'src', 'store', 'sqlite', 'open-database.ts')
  const source = readFileSync(file, 'utf8')
  assert.ok(source.includes(text))
  writeFileSync(file, source.replace(text, other))
  return join(copy, 'src', 'main.ts')
}
