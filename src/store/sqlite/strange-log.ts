import { openSync, readSync, statSync } from 'node:fs'
import { StoreUnavailable } from '../store.ts'

/** In the head of a database file (SQLite's file format, 1.3.3). */
const WRITE_VERSION_AT = 18
const WRITTEN_THROUGH_A_LOG = 2

/**
 * Whether the log beside a database is of another one. A file says that it has a log before it first gets one; a backup, which is
 * written without one, does not, nor does a file that was cut to nothing.
 */
export function hasStrangeLog(file: string): boolean {
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return false
  const head = Buffer.alloc(WRITE_VERSION_AT + 1)
  // Left open: to close it would drop all locks that this process has on the file (POSIX).
  const length = readSync(openSync(file, 'r'), head)
  return length < head.length || head[WRITE_VERSION_AT] !== WRITTEN_THROUGH_A_LOG
}

/**
 * SQLite would write such a log into the file, over a backup that was copied there with its mark and all, or throw it away.
 * @throws {StoreUnavailable} when there is one
 */
export function refuseStrangeLog(file: string): void {
  if (!hasStrangeLog(file)) return
  throw new StoreUnavailable(
    `the log ${file}-wal is of another database than ${file}, such as the one before a backup was copied there: ` +
      `move ${file}-wal and ${file}-shm away, then run \`duktig recover\``,
  )
}
