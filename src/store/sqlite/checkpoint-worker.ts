/** The thread that `checkpointer.ts` starts: one checkpoint for each message. */
import { fdatasyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/** Copy the log into the database file beside the writer; or all of it, so that the log can start over. */
export type CheckpointWork = 'copy' | 'start-over'

const file = workerData as string
const database = new DatabaseSync(file, { timeout: 1000 })
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
