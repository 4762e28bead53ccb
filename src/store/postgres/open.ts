import { randomUUID } from 'node:crypto'
import type { OpenedStore, Store } from '../store.ts'
import { accountStore } from './accounts.ts'
import { actionStore } from './actions.ts'
import { applicationStore } from './applications.ts'
import { Connection, type PostgresOptions } from './connection.ts'
import { isForbidden, unavailable } from './errors.ts'
import { inspect } from './inspect.ts'
import { guardStore } from './guards.ts'
import { keyStore } from './keys.ts'
import { legacyStore } from './legacy.ts'
import { migrate } from './migrate.ts'
import { catchUp, recoveryStore } from './recovery.ts'
import { sessionStore } from './sessions.ts'

/**
 * Opens the PostgreSQL database at `url` and brings its schema up to date; the database itself must exist.
 * @throws {StoreUnavailable} when it cannot be reached, or its user may not create the tables
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<OpenedStore> {
  const connection = new Connection(url, options)
  try {
    await connection.start()
    const applied = await migrate(connection)
    await catchUp(connection)
    return { store: storeOver(connection), applied }
  } catch (error) {
    await connection.close()
    throw isForbidden(error) ? unavailable(error) : error
  }
}

function storeOver(connection: Connection): Store {
  const checkKey = `check ${randomUUID()}`
  return {
    engine: 'postgres',
    clock: connection.clock,
    ...accountStore(connection),
    ...sessionStore(connection),
    ...applicationStore(connection),
    ...keyStore(connection),
    ...guardStore(connection),
    ...actionStore(connection),
    ...legacyStore(connection),
    ...recoveryStore(connection),
    check: () => check(connection, checkKey),
    inspect: () => inspect(connection),
    close: () => connection.close(),
  }
}

/**
 * A transaction that writes, so that a full disk or a server made read-only shows. The row is this process's own: for one
 * that requests lock, it would wait behind a crowd of them. It is removed with the buckets of addresses.
 */
function check(connection: Connection, key: string): Promise<void> {
  return connection.transaction(async (sql) => {
    await sql.rows(
      `insert into buckets (bucket_key, level, at_ms) values ($1, 0, $2)
       on conflict (bucket_key) do update set at_ms = excluded.at_ms`,
      key,
      connection.clock.nowMs(),
    )
  })
}
