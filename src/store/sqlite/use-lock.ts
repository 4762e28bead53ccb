/**
 * Locks on the use of a database. They are SQLite's own, so that the operating system releases them when the process is
 * killed. They are on a file beside the database, which no restore replaces: whoever waited for a lock on the database
 * itself would get it on the file that has been moved away meanwhile, and would write its log beside the new one.
 */
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from '../store.ts'
import { isLocked, unavailableIfSo } from './errors.ts'
import { createPrivately } from './private-file.ts'

/** Held until it is released, or the process ends. */
export interface UseLock {
  /** May be called more than once. */
  release(): void
}

const SHARED = 'begin; select count(*) from sqlite_schema'
/** One process may hold this lock, others the shared one beside it. */
const RESERVED = 'begin immediate'
const EXCLUSIVE = 'begin exclusive'

/** A command waits this long: a restore that is refused, or is small, takes less. */
const SHARED_WAIT_MS = 2000

/**
 * Taken by each process that has the database open, so that it is not replaced under it.
 * @throws {StoreUnavailable} when a restore is under way
 */
export function holdShared(databaseFile: string): UseLock {
  const lock = hold(databaseFile, SHARED, SHARED_WAIT_MS)
  if (lock !== null) return lock
  throw new StoreUnavailable(
    `a backup is being put in the place of ${databaseFile}, or a service of an earlier version uses it: wait, or stop that service, then try again`,
  )
}

/**
 * Taken by the one service that a database may have, and by a command that needs the service stopped: two services
 * would each refuse the tokens of the other, and a service would overtake a recovery that runs beside it.
 * @throws {StoreUnavailable} when another process holds this lock, or a restore is under way
 */
export function holdService(databaseFile: string): UseLock {
  const lock = hold(databaseFile, RESERVED)
  if (lock !== null) return lock
  holdShared(databaseFile).release()
  throw new StoreUnavailable(
    `${databaseFile} is in use by a service: stop it first; one that is to run beside it needs a DUKTIG_DATA_DIR of its own`,
  )
}

/**
 * Taken by a restore, which replaces the database: no other process may have it open, nor open it meanwhile.
 * @throws {StoreUnavailable} when another process has the database open; the message says of what kind
 */
export function holdExclusive(databaseFile: string): UseLock {
  const lock = hold(databaseFile, EXCLUSIVE)
  if (lock !== null) return lock
  holdService(databaseFile).release()
  throw new StoreUnavailable(`${databaseFile} is in use by a command: let it end, or stop it, first`)
}

/** Null if another process holds a lock that excludes this one. */
function hold(databaseFile: string, take: string, waitMs = 0): UseLock | null {
  const file = `${databaseFile}.service`
  createPrivately(file)
  const database = openLock(file, waitMs)
  try {
    database.exec(`pragma journal_mode = memory; ${take}`)
  } catch (error) {
    database.close()
    if (!isLocked(error)) throw unavailableIfSo(error)
    return null
  }
  return {
    release() {
      if (database.isOpen) database.close()
    },
  }
}

function openLock(file: string, waitMs: number): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: waitMs })
  } catch (error) {
    throw new StoreUnavailable(
      `${file} cannot be opened: look whether the service may write into ${dirname(file)} (${(error as Error).message})`,
      { cause: error },
    )
  }
}
