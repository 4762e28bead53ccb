import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from '../store.ts'
import { isLocked, unavailableIfSo } from './errors.ts'
import { createPrivately } from './private-file.ts'

/** Held by the one service that a database may have, or by a command that needs the service stopped. */
export interface ServiceLock {
  release(): void
}

/**
 * Takes the service lock of a database: two services would each refuse the tokens of the other, and a service would
 * overtake a recovery that runs beside it. The lock is SQLite's own, on a file beside the database, so that the
 * operating system releases it when the process is killed.
 * @throws {StoreUnavailable} when another process holds the lock
 */
export function holdService(databaseFile: string): ServiceLock {
  const file = `${databaseFile}.service`
  createPrivately(file)
  const database = openLock(file)
  try {
    database.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    database.close()
    if (!isLocked(error)) throw unavailableIfSo(error)
    throw new StoreUnavailable(
      `${databaseFile} is in use by a service: stop it first; one that is to run beside it needs a DUKTIG_DATA_DIR of its own`,
      { cause: error },
    )
  }
  return { release: () => database.close() }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 })
  } catch (error) {
    throw new StoreUnavailable(
      `${file} cannot be opened: look whether the service may write into ${dirname(file)} (${(error as Error).message})`,
      { cause: error },
    )
  }
}
