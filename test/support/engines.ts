/** Both engines of the store under the use cases, two instances each, with a way to let time pass without waiting. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'pg'
import { compose } from '../../src/compose.ts'
import { openJournal } from '../../src/operations/end-journal.ts'
import { createClock } from '../../src/operations/clock.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { openPostgres } from '../../src/store/postgres/open.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { journaled } from '../../src/store/journaled.ts'
import type { Store } from '../../src/store/store.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { freshDatabase } from './postgres.ts'
import { settle } from './settle.ts'
import { AUTH_KEY, type TestService, UNLIMITED, silentLog, startTestService } from './service.ts'

const SECRET = 'a-master-secret-that-only-tests-have'

/** What all instances must agree on. */
const SHARED = {
  DUKTIG_AUTH_KEY: AUTH_KEY,
  DUKTIG_SECRET: SECRET,
  DUKTIG_ISSUER: 'http://duktig.test',
  ...UNLIMITED,
}

type Value = string | number | null
export type Sql = (text: string, ...values: readonly Value[]) => Promise<readonly (readonly unknown[])[]>

export interface Engine {
  readonly name: 'SQLite' | 'PostgreSQL'
  /** Two instances over the same data. */
  readonly deps: readonly [Deps, Deps]
  /** Runs a statement beside the instances; `?` stands for a parameter. */
  readonly sql: Sql
  /** What a service needs to run over the same data. */
  readonly variables: Readonly<Record<string, string>>
  /** The store's clock if the test can set it; null if `pass` makes the rows older instead. */
  readonly clock: { nowMs: number } | null
  /** Lets time pass for one session, in whole seconds if it makes rows older. Returns the milliseconds that passed. */
  pass(sessionId: string, ms: number): Promise<number>
  close(): Promise<void>
}

const T0 = Date.UTC(2026, 0, 15, 12)

/** SQLite on a real file. Its clock moves only when the test moves it, unless it is that of 'the machine'. */
export async function openSqliteEngine(
  whose: 'our clock' | 'the machine' = 'our clock',
  variables: Readonly<Record<string, string>> = {},
): Promise<Engine> {
  const folder = newFolder()
  const file = join(folder, 'duktig.sqlite')
  const clock = whose === 'our clock' ? { nowMs: T0 } : null
  const own = clock === null ? createClock() : { nowMs: () => clock.nowMs }
  // The rotation log is full almost at once, so that rotations are settled into the session rows during the test.
  const open = async () => (await openSqlite(file, own, { rotationLogFullAt: 3 })).store
  const instances = await openInstances(folder, variables, open)
  const beside = sqliteBeside(file)
  const aged = aging(beside.sql)
  return {
    name: 'SQLite',
    variables: { ...SHARED, ...variables, DUKTIG_DATA_DIR: folder },
    deps: instances.deps,
    sql: beside.sql,
    clock,
    async pass(sessionId, ms) {
      if (clock === null) return aged(sessionId, ms)
      clock.nowMs += Math.round(ms)
      return Math.round(ms)
    },
    async close() {
      await instances.close()
      await beside.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** PostgreSQL on a real server, with a fresh database. */
export async function openPostgresEngine(): Promise<Engine> {
  const database = await freshDatabase()
  const folder = newFolder()
  const instances = await openInstances(folder, {}, async () => (await openPostgres(database.url)).store)
  const beside = postgresBeside(database.url)
  return {
    name: 'PostgreSQL',
    variables: { ...SHARED, DUKTIG_DATABASE_URL: database.url },
    deps: instances.deps,
    sql: beside.sql,
    clock: null,
    pass: aging(beside.sql),
    async close() {
      await instances.close()
      await beside.close()
      await database.drop()
      rmSync(folder, { recursive: true })
    },
  }
}

export const ENGINES = [
  { name: 'SQLite', open: () => openSqliteEngine('the machine') },
  { name: 'PostgreSQL', open: openPostgresEngine },
] as const

/** Two services over the data of an engine. On SQLite, where only one process may serve, both are one service. */
export async function startInstances(engine: Engine): Promise<readonly [TestService, TestService]> {
  const first = await startTestService(engine.variables)
  return [first, engine.name === 'SQLite' ? first : await startTestService(engine.variables)]
}

/** In memory where the machine has such a folder; other tests cover durability. */
function newFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'duktig-engine-'))
}

/** Opens two instances, composed as in a service, each with its own journal. */
async function openInstances(
  folder: string,
  variables: Readonly<Record<string, string>>,
  open: () => Promise<Store>,
): Promise<{ readonly deps: readonly [Deps, Deps]; close(): Promise<void> }> {
  const one = async (name: string) => {
    const dataDir = join(folder, name)
    const store = await open()
    // If the database counted these writes, a service over the same data would miss these journals and refuse to start.
    let writes = 0
    const journal = await openJournal({
      folder: join(dataDir, 'journal'),
      instanceId: name,
      database: await store.databaseId(),
      clock: store.clock,
      startAtOnce: false,
      numberWrite: async () => ++writes,
    })
    const settings = readSettings({ ...SHARED, ...variables, DUKTIG_DATA_DIR: dataDir })
    const { deps, recorder } = await compose(settings, journaled(store, journal), silentLog)
    const close = async () => {
      await recorder.stop()
      await journal.close()
      await store.close()
    }
    return { deps, close }
  }
  const [first, second] = [await one('first'), await one('second')]
  return {
    deps: [first.deps, second.deps],
    async close() {
      await first.close()
      await second.close()
    },
  }
}

export interface Beside {
  readonly sql: Sql
  close(): void | Promise<void>
}

export function sqliteBeside(file: string): Beside {
  const database = new DatabaseSync(file, { timeout: 5000 })
  return {
    async sql(text, ...values) {
      if (text.includes('sessions')) settle(database)
      const statement = database.prepare(text)
      statement.setReturnArrays(true)
      return statement.all(...values) as unknown as readonly (readonly unknown[])[]
    },
    close: () => database.close(),
  }
}

export function postgresBeside(url: string): Beside {
  // What a test does here need not be durable.
  const pool = new Pool({
    connectionString: url,
    max: 4,
    options: '-c synchronous_commit=off -c default_transaction_read_only=off',
  })
  // The pool drops a broken connection itself; the next statement takes another one.
  pool.on('error', () => {})
  return {
    async sql(text, ...values) {
      let place = 0
      const numbered = text.replaceAll('?', () => `$${++place}`)
      const result = await pool.query({ text: numbered, values: [...values], rowMode: 'array' })
      return result.rows as readonly (readonly unknown[])[]
    },
    close: () => pool.end(),
  }
}

const TIMES = ['rotated_at_ms', 'handed_out_at_ms', 'created_at_ms', 'expires_at_ms', 'last_used_at_ms']

/** Moves all times of a session into the past, as if `seconds` had gone by; whole ones, as the absolute end is one. */
export async function age(sql: Sql, sessionId: string, seconds: number): Promise<void> {
  const changes = TIMES.map((column) => `${column} = ${column} - ${seconds * 1000}`)
  await sql(`update sessions set ${changes.join(', ')} where session_id = ?`, sessionId)
}

function aging(sql: Sql): Engine['pass'] {
  return async (sessionId, ms) => {
    const seconds = Math.ceil(ms / 1000)
    await age(sql, sessionId, seconds)
    return seconds * 1000
  }
}
