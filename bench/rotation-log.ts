/**
 * Measures what a rotation costs SQLite: updating its row in place, against appending it to the log and settling it
 * later in the order of the ids (docs/decisions/0014-rotation-log.md). Runs only the statements, in transactions of 60,
 * without a service: `node scripts/run.mjs bench/rotation-log.ts [sessions] [rotations]`.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { prepareSite } from './harness/duktig.ts'
import { scattered, sessionIdOf } from './harness/population.ts'
import { cleanUpAtEnd, temporaryFolder } from './harness/processes.ts'

const BATCH = 60
const BATCHES_PER_CHECKPOINT = 200
const COLUMNS = 'generation, rotated_at_ms, handed_out_at_ms, kid, attempt_key, repeats, last_used_at_ms'
const UPDATE = `update sessions set (${COLUMNS}) = (?, ?, ?, ?, ?, ?, ?) where session_id = ?`
const APPEND = `insert into rotations (${COLUMNS}, session_id) values (?, ?, ?, ?, ?, ?, ?, ?)`

const [sessions = 1_000_000, rotations = 100_000] = process.argv.slice(2).map(Number)
cleanUpAtEnd()
const folder = temporaryFolder()
const { population } = await prepareSite(folder, sessions, null)
const ids = Array.from({ length: rotations }, (_, k) =>
  sessionIdOf(population, scattered(population, true, k)),
)
const file = join(folder, 'duktig.sqlite')
const copy = join(folder, 'copy.sqlite')
copyFileSync(file, copy)

const inPlace = new DatabaseSync(file)
measure('updated in place', inPlace, UPDATE, ids)
inPlace.close()
const logged = new DatabaseSync(copy)
measure('appended', logged, APPEND, ids)
measure('settled in order', logged, UPDATE, ids.toSorted())
logged.close()

/** Prints processor time and time by the clock for each rotation, checkpoints included. */
function measure(name: string, database: DatabaseSync, sql: string, sessionIds: readonly string[]): void {
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -16384')
  database.exec('pragma wal_autocheckpoint = 0')
  const statement = database.prepare(sql)
  const nowMs = Date.now()
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  for (let at = 0, batch = 1; at < sessionIds.length; at += BATCH, batch++) {
    database.exec('begin immediate')
    for (const sessionId of sessionIds.slice(at, at + BATCH))
      statement.run(2, nowMs, nowMs, 'a key id of 22 letters', 'the key of an attempt.', 0, nowMs, sessionId)
    database.exec('commit')
    if (batch % BATCHES_PER_CHECKPOINT === 0) database.exec('pragma wal_checkpoint(passive)')
  }
  const { user, system } = process.cpuUsage(cpu)
  const each = (micros: number) => `${(micros / sessionIds.length).toFixed(1)} µs`
  const wall = each((performance.now() - startedMs) * 1000)
  process.stdout.write(`${name}: ${each(user + system)} of processor time, ${wall} by the clock\n`)
}
