// @ts-check
/**
 * The thread that `checkpointer.ts` starts: one checkpoint for each message. It is plain JavaScript because a thread
 * that has to erase types takes 15 MiB more.
 */
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * How long starting the log over waits for the writer, and then, while the writer waits in turn, for readers in other
 * processes. A backup reads for longer; the log then goes on growing until the next try.
 */
const WAIT_MS = 20

const file = /** @type {string} */ (workerData)
const database = new DatabaseSync(file, { timeout: WAIT_MS })
database.exec('pragma synchronous = full')
const passive = database.prepare('pragma wal_checkpoint(passive)')
const restart = database.prepare('pragma wal_checkpoint(restart)')
const descriptor = openSync(file, 'r+')

parentPort?.on('message', (/** @type {import('./checkpointer.ts').CheckpointWork} */ work) => {
  parentPort?.postMessage(checkpoint(work))
})

/**
 * @param {import('./checkpointer.ts').CheckpointWork} work
 * @returns {import('./checkpointer.ts').CheckpointOutcome}
 */
function checkpoint(work) {
  try {
    copy()
    if (work === 'copy') return 'done'
    copy()
    // The writer has added only little since, and waits while `restart` copies that.
    restart.get()
    return 'done'
  } catch {
    // As on a full disk, or when the database is locked: nothing is lost, and this thread tries again later.
    return 'failed'
  }
}

/**
 * Copies the log into the database file and syncs that, so that the disk never has much to do at a time: SQLite itself
 * syncs only after it has copied the whole log.
 */
function copy() {
  passive.get()
  try {
    fdatasyncSync(descriptor)
  } catch (error) {
    endProcess(/** @type {Error} */ (error))
  }
}

/**
 * Ends the process after a failed sync. The operating system has dropped the pages that it could not write and reports
 * so only once, while SQLite takes them for copied and would start the log over. Only the log still holds them, and
 * only a process that is alone at the database copies the whole log again. Hence the process must not close the
 * database in good order, which would remove the log, and this thread copies nothing any more.
 * @param {Error} error
 * @returns {never}
 */
function endProcess({ message }) {
  /** @type {import('./checkpointer.ts').CheckpointOutcome} */
  const outcome = 'unsynced'
  // Sent first, because the write below may fail, or block when nobody reads standard error.
  parentPort?.postMessage(outcome)
  try {
    writeSync(
      2,
      `duktig: the database file ${file} could not be synced, so the process ends: ${message}; end all other duktig commands before the next start\n`,
    )
  } catch {
    // Nobody reads standard error, or its disk has failed as well; the process ends all the same.
  }
  process.kill(process.pid, 'SIGKILL')
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
