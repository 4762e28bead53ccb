// @ts-check
/**
 * The thread that `checkpointer.ts` starts: one checkpoint for each message. Plain JavaScript, since a thread that has types to
 * erase takes 15 MiB more.
 */
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Starting over waits this long for the writer, and then, with the writer waiting in turn, for readers of another process.
 * A backup reads for longer than that: then the log goes on growing until the next try.
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
    // What the writer added meanwhile is little; for the time of copying that, it waits.
    restart.get()
    return 'done'
  } catch {
    // A full disk, or a lock: nothing is lost, and the same thread tries again.
    return 'failed'
  }
}

/** Also synced, so that the disk has never much to do at a time: SQLite itself syncs only a log that is copied whole. */
function copy() {
  passive.get()
  try {
    fdatasyncSync(descriptor)
  } catch (error) {
    endProcess(/** @type {Error} */ (error))
  }
}

/**
 * The system has given up what it could not write, and reports that once; SQLite takes it for copied and would start the log over.
 * Only the log has it now, and only a process that finds nobody else at the database copies it again: a close in good order would
 * remove the log. Nothing is copied by this thread any more.
 * @param {Error} error
 * @returns {never}
 */
function endProcess({ message }) {
  /** @type {import('./checkpointer.ts').CheckpointOutcome} */
  const outcome = 'unsynced'
  // Before anything that may fail, or wait for who should read it.
  parentPort?.postMessage(outcome)
  try {
    writeSync(
      2,
      `duktig: the database file ${file} could not be synced, so the process ends: ${message}; end all other duktig commands before the next start\n`,
    )
  } catch {
    // Nobody reads it, or its disk has failed as well: no reason to go on.
  }
  process.kill(process.pid, 'SIGKILL')
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
