/** The thread that `checkpointer.ts` starts: one checkpoint for each message. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

const database = new DatabaseSync(workerData as string, { timeout: 1000 })
database.exec('pragma synchronous = full')
const passive = database.prepare('pragma wal_checkpoint(passive)')
const restart = database.prepare('pragma wal_checkpoint(restart)')

/** So few frames are copied while the writer waits that it hardly notices. */
const FEW_FRAMES = 256
const MOST_ROUNDS = 6

parentPort?.on('message', () => {
  // Round by round beside the writer, each shorter than the one before; then the rest while it waits, so that the log
  // starts over from its beginning and does not grow for ever.
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { log, checkpointed } = passive.get() as { log: number; checkpointed: number }
    if (log - checkpointed < FEW_FRAMES) break
  }
  restart.get()
  parentPort?.postMessage('done')
})
