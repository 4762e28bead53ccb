/** The thread that `checkpointer.ts` starts: one checkpoint for each message. */
import { fdatasyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/** Copy the log into the database file beside the writer; or all of it, so that the log can start over. */
export type CheckpointWork = 'copy' | 'start-over'

/**
 * Starting over waits this long for the writer, and then, with the writer waiting in turn, for readers of another process.
 * A backup reads for longer than that: then the log goes on growing until the next try.
 */
const WAIT_MS = 20

const file = workerData as string
const database = new DatabaseSync(file, { timeout: WAIT_MS })
database.exec('pragma synchronous = full')
const passive = database.prepare('pragma wal_checkpoint(passive)')
const restart = database.prepare('pragma wal_checkpoint(restart)')
const descriptor = openSync(file, 'r+')

parentPort?.on('message', (work: CheckpointWork) => {
  copy()
  if (work === 'start-over') {
    copy()
    // What the writer added meanwhile is little; for the time of copying that, it waits.
    restart.get()
  }
  parentPort?.postMessage('done')
})

/** Also synced, so that the disk has never much to do at a time: SQLite itself syncs only a log that is copied whole. */
function copy(): void {
  passive.get()
  fdatasyncSync(descriptor)
}
