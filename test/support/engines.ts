/** Both engines of the store under the use cases, two instances each, with a way to let time pass without waiting. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { compose } from '../../src/compose.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { openPostgres } from '../../src/store/postgres/open.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Store } from '../../src/store/store.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { freshDatabase } from './postgres.ts'
import { AUTH_KEY, silentLog } from './service.ts'

export const SECRET = 'a-master-secret-that-only-tests-have'
export const ISSUER = 'http://duktig.test'

type Value = string | number | null
export type Sql = (text: string, ...values: readonly Value[]) => Promise<readonly (readonly unknown[])[]>

export interface Engine {
  readonly name: 'SQLite' | 'PostgreSQL'
  /** Two instances over the same data. */
  readonly deps: readonly [Deps, Deps]
  /** Runs a statement beside the instances; `?` stands for a parameter. */
  readonly sql: Sql
  /** Sets the clock of the store, where it is ours; null where the clock is the database's and rows are aged. */
  readonly clock: { nowMs: number } | null
  /** Lets time pass for one session, on PostgreSQL in whole seconds. How much it was. */
  pass(sessionId: string, ms: number): Promise<number>
  close(): Promise<void>
}

const T0 = Date.UTC(2026, 0, 15, 12)

/** A real file, on a clock that only moves when it is told to. */
export async function openSqliteEngine(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-engine-'))
  const file = join(folder, 'duktig.sqlite')
  const clock = { nowMs: T0 }
  const open = async () => (await openSqlite(file, { nowMs: () => clock.nowMs })).store
  const stores = [await open(), await open()] as const
  const beside = sqliteBeside(file)
  return {
    name: 'SQLite',
    deps: await depsOf(stores, folder),
    sql: beside.sql,
    clock,
    async pass(_sessionId, ms) {
      clock.nowMs += Math.round(ms)
      return Math.round(ms)
    },
    async close() {
      for (const store of stores) await store.close()
      beside.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** A database of its own on a real server. */
export async function openPostgresEngine(): Promise<Engine> {
  const database = await freshDatabase()
  const open = async () => (await openPostgres(database.url)).store
  const stores = [await open(), await open()] as const
  const beside = await postgresBeside(database.url)
  return {
    name: 'PostgreSQL',
    deps: await depsOf(stores, tmpdir()),
    sql: beside.sql,
    clock: null,
    async pass(sessionId, ms) {
      const seconds = Math.ceil(ms / 1000)
      await age(beside.sql, sessionId, seconds)
      return seconds * 1000
    },
    async close() {
      for (const store of stores) await store.close()
      await beside.close()
      await database.drop()
    },
  }
}

export const ENGINES = [
  { name: 'SQLite', open: openSqliteEngine },
  { name: 'PostgreSQL', open: openPostgresEngine },
] as const

async function depsOf(stores: readonly [Store, Store], dataDir: string): Promise<readonly [Deps, Deps]> {
  const settings = readSettings({
    DUKTIG_DATA_DIR: dataDir,
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_SECRET: SECRET,
    DUKTIG_ISSUER: ISSUER,
    DUKTIG_RATE_LIMITS: 'off',
  })
  const [first, second] = stores
  const deps = async (store: Store) => (await compose(settings, store, silentLog)).deps
  return [await deps(first), await deps(second)]
}

export interface Beside {
  readonly sql: Sql
  close(): void | Promise<void>
}

export function sqliteBeside(file: string): Beside {
  const database = new DatabaseSync(file, { timeout: 5000 })
  return {
    async sql(text, ...values) {
      const statement = database.prepare(text)
      statement.setReturnArrays(true)
      return statement.all(...values) as unknown as readonly (readonly unknown[])[]
    },
    close: () => database.close(),
  }
}

export async function postgresBeside(url: string): Promise<Beside> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return {
    async sql(text, ...values) {
      let place = 0
      const numbered = text.replaceAll('?', () => `$${++place}`)
      const result = await client.query({ text: numbered, values: [...values], rowMode: 'array' })
      return result.rows as readonly (readonly unknown[])[]
    },
    close: () => client.end(),
  }
}

const TIMES = ['rotated_at_ms', 'handed_out_at_ms', 'created_at_ms', 'expires_at_ms', 'last_used_at_ms']

/** Moves all times of a session into the past, as if so much time had gone by. Whole seconds, as the absolute end is one. */
export async function age(sql: Sql, sessionId: string, seconds: number): Promise<void> {
  const changes = TIMES.map((column) => `${column} = ${column} - ${seconds * 1000}`)
  await sql(`update sessions set ${changes.join(', ')} where session_id = ?`, sessionId)
}
