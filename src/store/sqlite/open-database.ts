import { DatabaseSync } from 'node:sqlite'
import { translate } from './errors.ts'

/** Opening waits this long for another process that holds the lock, as one that creates the same database. */
const OPENING_WAIT_MS = 2000
/** After that, a write asks for the lock again by itself (`connection.ts`): waiting here would stop the whole process. */
const NO_WAIT_MS = 0
/**
 * The file of the write-ahead log is cut to this size when the log starts over. A backup that reads for long lets the
 * log grow; otherwise it takes about half of this at most.
 */
const LOG_FILE_BYTES = 128 * 1024 * 1024
/** Pages that SQLite itself keeps in memory. The system has the others: 128 MiB made a refresh less than 5 % faster. */
const PAGE_CACHE_KIB = 16 * 1024

/**
 * Opens a database file, or creates it, with settings under which every commit is durable.
 * @throws {StoreUnavailable} when it cannot be opened
 */
export function openDatabase(file: string): DatabaseSync {
  return translate(() => {
    const database = new DatabaseSync(file, { timeout: NO_WAIT_MS })
    database.exec(`pragma busy_timeout = ${OPENING_WAIT_MS}`)
    database.exec('pragma journal_mode = wal')
    database.exec('pragma synchronous = full')
    database.exec(`pragma journal_size_limit = ${LOG_FILE_BYTES}`)
    database.exec('pragma foreign_keys = on')
    // A negative number means KiB and not pages.
    database.exec(`pragma cache_size = -${PAGE_CACHE_KIB}`)
    database.exec('pragma temp_store = memory')
    database.exec(`pragma busy_timeout = ${NO_WAIT_MS}`)
    return database
  })
}
