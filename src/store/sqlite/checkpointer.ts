/**
 * Checkpoints off the request path: a separate thread copies the write-ahead log into the database file while the main
 * thread goes on committing. It is started when it is first needed, so that a service at rest does not pay for it.
 */
import { Worker } from 'node:worker_threads'
import type { Connection } from './connection.ts'

/**
 * The log is copied and synced when this many of its frames of 4 KiB, 1 MiB in all, are not in the database file yet. A
 * commit waits behind them at the disk, so frequent small copies shorten the slowest requests.
 */
const DUE_FRAMES = 256
/**
 * The log starts over from its beginning at this many frames, 64 MiB. Starting over, unlike copying, makes writers wait
 * some 10 ms for the disk; but a log that no longer grows is synced in half the time.
 */
const FULL_FRAMES = 16_384
/** How often the state of the log is looked at while requests write. */
const LOOK_EVERY_MS = 20
/** Pause after a checkpoint that failed, as on a full disk. */
const RETRY_MS = 1000
/** How long the thread has to report why the process ends, and to end it; the report may block if nobody reads it. */
const LAST_WORDS_MS = 1000

/** Copy the log into the database file beside the writer, or copy all of it so that the log can start over. */
export type CheckpointWork = 'copy' | 'start-over'
/** After `failed` the log goes on growing until the next try; after `unsynced` the process ends. */
export type CheckpointOutcome = 'done' | 'failed' | 'unsynced'

export interface Checkpointer {
  stop(): Promise<void>
}

/** Null if the state cannot be read, as on a failing disk: requests report that, and the next look tries again. */
function logStateOf(connection: Connection): ReturnType<Connection['logState']> | null {
  try {
    return connection.logState()
  } catch {
    return null
  }
}

/** Takes over the checkpoints of `connection`, whose database is `file`. */
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
    // The thread's descriptor of the database must stay open when the thread ends: closing it would drop all locks that
    // this process has on the file (POSIX), and another process could take the database for unused and remove the log.
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
    // The thread could not start.
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
      // Closing the database in good order would remove the log.
      if (isUnsynced) endAtLast()
    },
  }
}

/**
 * Ends the process where the thread could not: the first process of a container ignores a SIGKILL from itself, and only
 * the main thread may abort.
 */
function endAtLast(): void {
  process.kill(process.pid, 'SIGKILL')
  process.abort()
}
