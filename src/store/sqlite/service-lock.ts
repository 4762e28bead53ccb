import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from '../store.ts'
import { isLocked, unavailableIfSo } from './errors.ts'
import { createPrivately } from './private-file.ts'

/** Held by the one service that a database may have; whoever holds it ends it. */
export interface ServiceLock {
  release(): void
}

/**
 * Holds the place of the service of a database: two of them would each refuse the tokens of the other, and a recovery beside
 * one would be overtaken by it. A lock of SQLite's own on a file beside the database, so that the system takes it back from
 * a process that was killed.
 * @throws {StoreUnavailable} when somebody holds it
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
