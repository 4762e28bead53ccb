import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from '../store.ts'
import { syncFile } from '../sync-file.ts'
import { isLocked } from './errors.ts'
import { MARK_RESTORED } from './restored-mark.ts'
import { hasStrangeLog, refuseStrangeLog } from './strange-log.ts'
import { type UseLock, holdExclusive, holdShared } from './use-lock.ts'

/** Writes a consistent, durable copy of the database `from` to the new file `to`, while writers go on. */
export function backupSqlite(from: string, to: string): void {
  refuseStrangeLog(from)
  const draft = `${to}.partial`
  rmSync(draft, { force: true })
  const lock = holdShared(from)
  try {
    copyInto(draft, from)
    renameSync(draft, to)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    lock.release()
  }
  syncFile(dirname(to))
}

function copyInto(draft: string, from: string): void {
  // Fails if another process has created the file by now: its owner must not get the copy.
  closeSync(openSync(draft, 'wx', 0o600))
  const database = new DatabaseSync(from, { readOnly: true, timeout: 5000 })
  try {
    database.prepare('vacuum into ?').run(draft)
  } finally {
    database.close()
  }
  // So a backup that is copied into place by hand is refused until it has been recovered.
  markRestored(draft)
  syncFile(draft)
}

/** Suffixes of the files beside a database: its write-ahead log and the index of the log, or its rollback journal. */
const BESIDE = ['-wal', '-shm', '-journal']

/**
 * Puts the backup `from` in the place of the database `to`, which no process may have open, and marks it as awaiting
 * recovery. A log left beside the previous database, as by a crash, is moved away with that database: SQLite would
 * write the log into the backup.
 * @returns the name under which the previous database is kept, empty if there was none; or what stands in the way
 */
export function restoreSqlite(from: string, to: string): string | { readonly problem: string } {
  const problem = backupProblem(from)
  if (problem !== null) return { problem }
  const held = holdOrSay(to)
  if ('problem' in held) return held
  try {
    return putInPlace(makeDraft(from, to), to, held)
  } finally {
    held.closeDatabase()
    held.lock.release()
  }
}

/** Keeps others from opening the database while the backup is copied and put in its place. */
interface Held {
  readonly lock: UseLock
  /** Lets go of the database before. May be called more than once. */
  closeDatabase(): void
}

/** Takes the lock even if there is no database: the database may have been removed under a running service. */
function holdOrSay(file: string): Held | { readonly problem: string } {
  let lock: UseLock | undefined
  try {
    lock = holdExclusive(file)
    const database = holdDatabase(file)
    const closeDatabase = () => {
      if (database?.isOpen === true) database.close()
    }
    return { lock, closeDatabase }
  } catch (error) {
    lock?.release()
    if (error instanceof StoreUnavailable) return { problem: error.message }
    throw error
  }
}

/** Makes a copy of the backup, with the mark, beside the database that it is to replace. Returns its name. */
function makeDraft(from: string, to: string): string {
  const draft = `${to}.restoring`
  const clear = () => ['', ...BESIDE].forEach((end) => rmSync(`${draft}${end}`, { force: true }))
  // An earlier restore, perhaps of another backup, may have been killed and left its draft behind.
  clear()
  try {
    copyFileSync(from, draft, constants.COPYFILE_FICLONE)
    chmodSync(draft, 0o600)
    // A backup lacks the mark if it was made by other means or has been recovered before.
    markRestored(draft)
    syncFile(draft)
  } catch (error) {
    clear()
    throw error
  }
  return draft
}

function putInPlace(draft: string, to: string, held: Held): string {
  const aside = `${to}.before-restore-${new Date().toISOString().replace(/[:.]/g, '-')}`
  const existed = existsSync(to)
  // The database goes first: after a crash in between, no start accepts a log without its database, but every start
  // would accept a database without its log.
  if (existed) renameSync(to, aside)
  // SQLite removes the log by its name, so it must do that before another database has the name.
  held.closeDatabase()
  for (const end of BESIDE) if (existsSync(`${to}${end}`)) renameSync(`${to}${end}`, `${aside}${end}`)
  renameSync(draft, to)
  syncFile(dirname(to))
  return existed ? aside : ''
}

/** Marks a database so that no start serves it before it has been recovered. */
function markRestored(draft: string): void {
  const database = new DatabaseSync(draft)
  try {
    // These modes leave no file beside the draft that would have to be moved with it.
    database.exec(`pragma locking_mode = exclusive; pragma journal_mode = memory; ${MARK_RESTORED}`)
  } finally {
    database.close()
  }
}

function backupProblem(file: string): string | null {
  if (!existsSync(file)) return `${file} does not exist`
  // Changes that are only in the log would silently be lost.
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0)
    return (
      `${file} is not whole, since a part of it is in ${file}-wal: write that into it first ` +
      `(sqlite3 ${file} 'pragma wal_checkpoint(truncate)'), and make backups with \`duktig backup\``
    )
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      database.prepare('select count(*) from migrations').get()
      const check = database.prepare('pragma quick_check(1)').get() as { quick_check?: unknown }
      return check.quick_check === 'ok' ? null : `${file} is damaged: ${String(check.quick_check)}`
    } finally {
      database.close()
    }
  } catch (error) {
    return `${file} is no backup of Duktig: ${(error as Error).message}`
  }
}

/**
 * Locks other programs, such as SQLite's shell, out of the database, and copies the write-ahead log into it. Null if
 * that fails because it is damaged. A database with a strange log stays unopened: opening it would write the log into
 * it, or discard the log.
 * @throws {StoreUnavailable} when another program has it open
 */
function holdDatabase(file: string): DatabaseSync | null {
  if (!existsSync(file) || hasStrangeLog(file)) return null
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('pragma locking_mode = exclusive; begin exclusive; commit; pragma wal_checkpoint(truncate)')
    return database
  } catch (error) {
    database?.close()
    if (!isLocked(error)) return null
    throw new StoreUnavailable(`${file} is in use by another program: let it end, or stop it, first`)
  }
}
