/**
 * Threads of our own that hash passwords, each started when it is first needed. They have a lower priority than the rest of
 * the process, which the threads of Node's own pool cannot have (docs/decisions/0015-hashes-in-threads-of-their-own.md).
 */
import { Worker } from 'node:worker_threads'
import type { Outcome } from './work-queue.ts'

export type HashJob =
  | { readonly kind: 'hash'; readonly password: string; readonly parameters: Argon2Parameters }
  | { readonly kind: 'verify-argon2' | 'verify-bcrypt'; readonly password: string; readonly hash: string }

export interface Argon2Parameters {
  /** KiB. */
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

/** What a thread says of a batch. */
export interface HashReport {
  /** One at least. */
  readonly outcomes: readonly Outcome<unknown>[]
  /** Whether it has stepped back so far that it gets hardly anything of a core. It leaves the rest to a new one, which can have more. */
  readonly isStarving: boolean
}

interface Thread {
  readonly worker: Worker
  /** What it works on; null while it rests. */
  batch: PromiseWithResolvers<readonly Outcome<unknown>[]> | null
}

export class HashPool {
  readonly #script: URL
  readonly #resting: Set<Thread> = new Set()

  constructor(script = new URL('./hash-thread.mjs', import.meta.url)) {
    this.#script = script
  }

  /**
   * Runs jobs one after the other, in one thread unless it starves, and tells when all are done. As many threads run at a time as are
   * asked for: the bound is the caller's. Fails if the thread dies of a job.
   */
  async run(jobs: readonly HashJob[]): Promise<readonly Outcome<unknown>[]> {
    const outcomes = await this.#runSome(jobs)
    if (outcomes.length === jobs.length) return outcomes
    return [...outcomes, ...(await this.run(jobs.slice(outcomes.length)))]
  }

  #runSome(jobs: readonly HashJob[]): Promise<readonly Outcome<unknown>[]> {
    const [thread = this.#start()] = this.#resting
    this.#resting.delete(thread)
    const batch = Promise.withResolvers<readonly Outcome<unknown>[]>()
    thread.batch = batch
    thread.worker.ref()
    thread.worker.postMessage(jobs)
    return batch.promise
  }

  #start(): Thread {
    // Without what is preloaded into the service: it would only take memory here.
    const worker = new Worker(this.#script, { execArgv: [] })
    const thread: Thread = { worker, batch: null }
    worker.on('message', ({ outcomes, isStarving }: HashReport) => {
      const { batch } = thread
      thread.batch = null
      // A thread at rest keeps no process from ending.
      worker.unref()
      if (isStarving) void worker.terminate()
      else this.#resting.add(thread)
      batch?.resolve(outcomes)
    })
    worker.on('error', (error) => thread.batch?.reject(error))
    worker.on('exit', () => {
      this.#resting.delete(thread)
      thread.batch?.reject(new Error('the thread ended before its hash was done'))
    })
    return thread
  }
}
