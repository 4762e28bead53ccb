/**
 * Checkpoints off the request path: a thread of its own copies the write-ahead log into the database file, while this
 * one goes on committing. It is started when it is first needed, so that a service at rest does not pay for it.
 */
import { Worker } from 'node:worker_threads'
import type { Connection } from './connection.ts'

/**
 * Frames of 4 KiB in the log, not yet in the database file, at which they are copied and synced: 1 MiB. A commit waits behind
 * them at the disk, so a few at a time and often is what the slowest requests notice.
 */
const DUE_FRAMES = 256
/**
 * Frames at which the log starts over from its beginning: 64 MiB. Copying disturbs nobody, starting over makes writers
 * wait some 10 ms for the disk; but a file that no longer grows is synced in half the time.
 */
const FULL_FRAMES = 16_384
/** How often the log is looked at while something is written. */
const LOOK_EVERY_MS = 20
/** After a checkpoint that failed, as on a full disk. */
const RETRY_MS = 1000
/** The thread says why the process ends, and ends it. Nobody need read what it says. */
const LAST_WORDS_MS = 1000

/** Copy the log into the database file beside the writer; or all of it, so that the log can start over. */
export type CheckpointWork = 'copy' | 'start-over'
/** After a failure the log goes on growing until the next try. `unsynced` is the end of the process. */
export type CheckpointOutcome = 'done' | 'failed' | 'unsynced'

export interface Checkpointer {
  stop(): Promise<void>
}

/** Null where it cannot be told, as on a disk that fails: requests say so, and the next look may see. */
function logStateOf(connection: Connection): ReturnType<Connection['logState']> | null {
  try {
    return connection.logState()
  } catch {
    return null
  }
}

/** Takes the checkpoints of `connection` over. The file is the database's. */
export function startCheckpointer(connection: Connection, file: string): Checkpointer {
  connection.exec('pragma wal_autocheckpoint = 0')
  let worker: Worker | null = null
  let running = false
  let isUnsynced = false
  let timer: NodeJS.Timeout | null = null

  function look(): void {
    timer = null
    if (running) return
    const state = logStateOf(connection)
    if (state === null || state.frames - state.copied < DUE_FRAMES) return
    worker ??= startWorker()
    running = true
    const work: CheckpointWork = state.frames < FULL_FRAMES ? 'copy' : 'start-over'
    worker.postMessage(work)
  }

  function startWorker(): Worker {
    // Its descriptor of the database outlives it: to close one would drop the locks that the whole process has on the
    // file (POSIX), and another process could take it for free and remove the log.
    const started = new Worker(new URL('./checkpoint-worker.mjs', import.meta.url), {
      workerData: file,
      trackUnmanagedFds: false,
    })
    started.unref()
    started.on('message', (outcome: CheckpointOutcome) => {
      if (outcome === 'done') running = false
      else if (outcome === 'failed') tryAgainLater()
      else {
        isUnsynced = true
        setTimeout(endAtLast, LAST_WORDS_MS)
      }
    })
    // It could not even be started.
    started.on('error', () => {
      worker = null
      tryAgainLater()
    })
    return started
  }

  function tryAgainLater(): void {
    setTimeout(() => {
      running = false
    }, RETRY_MS).unref()
  }

  connection.onCommit(() => {
    if (timer !== null) return
    timer = setTimeout(look, LOOK_EVERY_MS)
    timer.unref()
  })
  return {
    async stop() {
      if (timer !== null) clearTimeout(timer)
      connection.onCommit(() => {})
      await worker?.terminate()
      // A close in good order would remove the log.
      if (isUnsynced) endAtLast()
    },
  }
}

/** What the thread could not: the first process of a container ignores being killed by itself, and only this thread may abort. */
function endAtLast(): void {
  process.kill(process.pid, 'SIGKILL')
  process.abort()
}
