/**
 * Prints how many bytes a refresh, and an id that becomes text, leave in the old generation, where only a full garbage
 * collection finds them. A process of its own with `--expose-gc`, because the test runner follows every promise, which
 * keeps them alive.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getHeapSpaceStatistics } from 'node:v8'
import { digitsOf } from '../../src/core/digits.ts'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { makeAccount, makeApplication, refreshRequest, signIn } from './engine.ts'

const TOGETHER = 4
const WARM_UP = 4000
const TRANSACTIONS = 10_000
const BETWEEN_COLLECTIONS = 100
/** More than V8 remembers as text. */
const IDS = 40_000

const folder = mkdtempSync(join(tmpdir(), 'duktig-garbage-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const { store } = await openSqlite(join(folder, 'duktig.sqlite'), createClock())
const application = await makeApplication(store)
const account = await makeAccount(store)
const sessions = await Promise.all(
  Array.from({ length: TOGETHER }, () => signIn(store, account, application)),
)
await refresh(WARM_UP)
const ofRefresh = (await leftBy(() => refresh(TRANSACTIONS))) / TRANSACTIONS / TOGETHER
const ofId = (await leftBy(writeIds)) / IDS
await store.close()
process.stdout.write(JSON.stringify({ ofRefresh, ofId }))

async function leftBy(work: () => void | Promise<void>): Promise<number> {
  gc?.()
  const before = oldBytes()
  await work()
  gc?.({ type: 'minor' })
  return oldBytes() - before
}

function writeIds(): void {
  for (let id = 1; id <= IDS; id++) {
    if (digitsOf(id * 1009) === '') throw new Error('an id without digits')
    if (id % BETWEEN_COLLECTIONS === 0) gc?.({ type: 'minor' })
  }
}

/** All sessions refresh in each of the transactions. */
async function refresh(transactions: number): Promise<void> {
  for (let i = 1; i <= transactions; i++) {
    await Promise.all(sessions.map((session) => store.refreshSession(refreshRequest(store, session))))
    if (i % BETWEEN_COLLECTIONS === 0) gc?.({ type: 'minor' })
  }
}

/** Bytes of what has grown old, dead or alive, without code. */
function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => name === 'old_space' || name === 'large_object_space')
    .reduce((sum, { space_used_size: bytes }) => sum + bytes, 0)
}
