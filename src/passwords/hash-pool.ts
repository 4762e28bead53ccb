/**
 * Threads of our own that hash passwords, each started when it is first needed. They have a lower priority than the rest of
 * the process, which the threads of Node's own pool cannot have (docs/decisions/0015-hashes-in-threads-of-their-own.md).
 */
import { Worker } from 'node:worker_threads'
import type { Outcome } from './work-queue.ts'

export type HashJob = HashToMake | HashToVerify

interface HashToMake {
  readonly kind: 'hash'
  readonly password: string
  readonly parameters: Argon2Parameters
}

interface HashToVerify {
  readonly kind: 'verify-argon2' | 'verify-bcrypt'
  readonly password: string
  readonly hash: string
  /** Whether it may take seconds, as one from elsewhere may. */
  readonly isLong: boolean
}

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
  /** Whether it has stepped back for everybody else. */
  readonly isYielding: boolean
  /** Whether it gets hardly anything of a core since. It leaves the rest to a new one, which can have more. */
  readonly isStarving: boolean
}

interface Thread {
  readonly worker: Worker
  /** What it works on; null while it rests. */
  batch: PromiseWithResolvers<readonly Outcome<unknown>[]> | null
  /** As it has last reported. There is no way back. */
  isYielding: boolean
}

export class HashPool {
  readonly #script: URL
  readonly #resting: Set<Thread> = new Set()

  constructor(script = new URL('./hash-thread.mjs', import.meta.url)) {
    this.#script = script
  }

  /**
   * Runs jobs one after the other, in one thread unless it starves, and tells when all are done. As many threads run at a time as are
   * asked for: the bound is the caller's. Jobs whose thread dies have its error for an outcome.
   */
  async run(jobs: readonly HashJob[]): Promise<readonly Outcome<unknown>[]> {
    const outcomes = await this.#runSome(jobs).catch((error: unknown) => jobs.map(() => ({ error })))
    if (outcomes.length === jobs.length) return outcomes
    return [...outcomes, ...(await this.run(jobs.slice(outcomes.length)))]
  }

  #runSome(jobs: readonly HashJob[]): Promise<readonly Outcome<unknown>[]> {
    const thread = this.#restingFor(jobs) ?? this.#start()
    this.#resting.delete(thread)
    const batch = Promise.withResolvers<readonly Outcome<unknown>[]>()
    thread.batch = batch
    thread.worker.ref()
    thread.worker.postMessage(jobs)
    return batch.promise
  }

  /**
   * What is long must not begin where it may get hardly anything of a core: nobody could end that before it is done. All else goes to
   * those who yield, as long as one of them rests, so that there are no more of either than run at a time.
   */
  #restingFor(jobs: readonly HashJob[]): Thread | undefined {
    const resting = [...this.#resting]
    const others = resting.find(({ isYielding }) => !isYielding)
    if (jobs.some((job) => job.kind !== 'hash' && job.isLong)) return others
    return resting.find(({ isYielding }) => isYielding) ?? others
  }

  #start(): Thread {
    // Without what is preloaded into the service: it would only take memory here.
    const worker = new Worker(this.#script, { execArgv: [] })
    const thread: Thread = { worker, batch: null, isYielding: false }
    worker.on('message', ({ outcomes, isYielding, isStarving }: HashReport) => {
      const { batch } = thread
      thread.batch = null
      thread.isYielding = isYielding
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
