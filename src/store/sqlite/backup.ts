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
import { type ServiceLock, holdService } from './service-lock.ts'
import { hasStrangeLog, refuseStrangeLog } from './strange-log.ts'

/** Writes a consistent copy of the database `from` to the new file `to`; writers go on meanwhile. Durable when it returns. */
export function backupSqlite(from: string, to: string): void {
  refuseStrangeLog(from)
  const draft = `${to}.partial`
  rmSync(draft, { force: true })
  try {
    copyInto(draft, from)
    renameSync(draft, to)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  syncFile(dirname(to))
}

function copyInto(draft: string, from: string): void {
  // Somebody who has put another file there since is not to be given the copy.
  closeSync(openSync(draft, 'wx', 0o600))
  const database = new DatabaseSync(from, { readOnly: true, timeout: 5000 })
  try {
    database.prepare('vacuum into ?').run(draft)
  } finally {
    database.close()
  }
  // Whoever copies it into place by hand is told to recover it.
  markRestored(draft)
  syncFile(draft)
}

/** Beside a database: its write-ahead log with the index of that, or its rollback journal. */
const BESIDE = ['-wal', '-shm', '-journal']

/**
 * Puts the backup `from` in the place of the database `to`, which nobody may have open, marked as one that awaits its recovery.
 * The name under which the database before is kept, empty if there was none; or what stands in the way. A log that was left
 * beside it, as by a crash, goes with it: SQLite would write it into the backup.
 */
export function restoreSqlite(from: string, to: string): string | { readonly problem: string } {
  const problem = backupProblem(from)
  if (problem !== null) return { problem }
  const lock = holdOrSay(to)
  if ('problem' in lock) return lock
  try {
    // Nobody opens one with a strange log, which is to be moved away as it is.
    if (existsSync(to) && !hasStrangeLog(to) && isInUse(to))
      return { problem: `${to} is in use by a command: let it end, or stop it, first` }
    return putInPlace(from, to)
  } finally {
    lock.release()
  }
}

/** A service may have its place also where the database was removed from under it. */
function holdOrSay(file: string): ServiceLock | { readonly problem: string } {
  try {
    return holdService(file)
  } catch (error) {
    if (error instanceof StoreUnavailable) return { problem: error.message }
    throw error
  }
}

function putInPlace(from: string, to: string): string {
  const draft = `${to}.restoring`
  const clear = () => ['', ...BESIDE].forEach((end) => rmSync(`${draft}${end}`, { force: true }))
  // Of a try that was killed, and of another file.
  clear()
  try {
    copyFileSync(from, draft, constants.COPYFILE_FICLONE)
    chmodSync(draft, 0o600)
    // One that was made by other means, or has been recovered.
    markRestored(draft)
    syncFile(draft)
  } catch (error) {
    clear()
    throw error
  }
  const aside = `${to}.before-restore-${new Date().toISOString().replace(/[:.]/g, '-')}`
  const existed = existsSync(to)
  // The database first: without it no start takes what a crash leaves, as one without its log.
  for (const end of ['', ...BESIDE])
    if (existsSync(`${to}${end}`)) renameSync(`${to}${end}`, `${aside}${end}`)
  renameSync(draft, to)
  syncFile(dirname(to))
  return existed ? aside : ''
}

/** No start takes it for a good one before it has been recovered. */
function markRestored(draft: string): void {
  const database = new DatabaseSync(draft)
  try {
    // Nothing beside it that would have to go with it.
    database.exec(`pragma locking_mode = exclusive; pragma journal_mode = memory; ${MARK_RESTORED}`)
  } finally {
    database.close()
  }
}

function backupProblem(file: string): string | null {
  if (!existsSync(file)) return `${file} does not exist`
  // What is in its log is not in the file, and would be lost without a word.
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

/** Whether another process has the database open. If not, its write-ahead log is moved into it, unless it is damaged. */
function isInUse(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      database.exec(
        'pragma locking_mode = exclusive; begin exclusive; commit; pragma wal_checkpoint(truncate)',
      )
      return false
    } finally {
      database.close()
    }
  } catch (error) {
    return isLocked(error)
  }
}
