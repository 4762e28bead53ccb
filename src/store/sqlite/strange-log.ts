import { openSync, readSync, statSync } from 'node:fs'
import { StoreUnavailable } from '../store.ts'

/** Offset in the header of a database file (SQLite's file format, 1.3.3). */
const WRITE_VERSION_AT = 18
const WRITTEN_THROUGH_A_LOG = 2

/**
 * Whether the write-ahead log beside a database belongs to another database. A file says in its header that it has a
 * log, before it first gets one; a backup, which is written without a log, does not say so, nor does a file that was
 * truncated to nothing.
 */
export function hasStrangeLog(file: string): boolean {
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return false
  const head = Buffer.alloc(WRITE_VERSION_AT + 1)
  // The descriptor stays open: closing it would drop all locks that this process has on the file (POSIX).
  const length = readSync(openSync(file, 'r'), head)
  return length < head.length || head[WRITE_VERSION_AT] !== WRITTEN_THROUGH_A_LOG
}

/**
 * SQLite would discard such a log, or write it into the file, where it would overwrite a copied backup with its mark.
 * @throws {StoreUnavailable} when there is such a log
 */
export function refuseStrangeLog(file: string): void {
  if (!hasStrangeLog(file)) return
  throw new StoreUnavailable(
    `the log ${file}-wal is of another database than ${file}, such as the one before a backup was copied there: ` +
      `move ${file}-wal and ${file}-shm away, then run \`duktig recover\``,
  )
}
