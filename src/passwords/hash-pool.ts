/**
 * Worker threads that hash passwords, each started when it is first needed. They have a lower priority than the rest of
 * the process, which the threads of Node's own pool cannot have
 * (docs/decisions/0015-hashes-in-threads-of-their-own.md).
 */
import { Worker } from 'node:worker_threads'
import type { Outcome } from './work-queue.ts'

export type HashJob = HashToMake | HashToVerify

interface HashToMake {
  readonly kind: 'hash'
  readonly password: string
  readonly parameters: Argon2Parameters
  readonly isLong: false
}

interface HashToVerify {
  readonly kind: 'verify-argon2' | 'verify-bcrypt'
  /** Texts that count as the password: the hash may be that of any of them. */
  readonly spellings: readonly string[]
  readonly hash: string
  /** Whether the check may take seconds, as that of an imported hash may. */
  readonly isLong: boolean
}

export interface Argon2Parameters {
  /** KiB. */
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

/** What a thread reports about a batch. */
export interface HashReport {
  /** At least one; fewer than the batch has jobs if the thread starves. */
  readonly outcomes: readonly Outcome<unknown>[]
  /** Whether the thread has lowered its priority for the second time. */
  readonly isYielding: boolean
  /** Whether a yielding thread gets hardly any of a core. The rest of its batch then goes to one that does not yield. */
  readonly isStarving: boolean
}

interface Thread {
  readonly worker: Worker
  /** The batch in progress; null while the thread is at rest. */
  batch: PromiseWithResolvers<readonly Outcome<unknown>[]> | null
  /** As last reported. A thread never stops yielding. */
  isYielding: boolean
}

export class HashPool {
  readonly #script: URL
  readonly #resting: Set<Thread> = new Set()

  constructor(script = new URL('./hash-thread.mjs', import.meta.url)) {
    this.#script = script
  }

  /**
   * Runs the jobs one after the other, in one thread unless that starves, and resolves when all are done. Each call
   * occupies a thread, so the caller bounds how many run at a time. If a thread dies, the jobs that it has not reported
   * fail with its error.
   */
  async run(
    jobs: readonly HashJob[],
    mayYield = jobs.every(({ isLong }) => !isLong),
  ): Promise<readonly Outcome<unknown>[]> {
    const outcomes = await this.#runSome(jobs, mayYield).catch((error: unknown) =>
      jobs.map(() => ({ error })),
    )
    if (outcomes.length === jobs.length) return outcomes
    // The thread starved. Another one that yields would starve as well.
    return [...outcomes, ...(await this.run(jobs.slice(outcomes.length), false))]
  }

  /** Asynchronous as a whole, since the system may refuse to make a thread. */
  async #runSome(jobs: readonly HashJob[], mayYield: boolean): Promise<readonly Outcome<unknown>[]> {
    const thread = this.#restingFor(mayYield) ?? this.#start()
    this.#resting.delete(thread)
    const batch = Promise.withResolvers<readonly Outcome<unknown>[]>()
    thread.batch = batch
    thread.worker.ref()
    thread.worker.postMessage(jobs)
    return batch.promise
  }

  /**
   * A long job must not start on a yielding thread: it might get hardly any of a core there and cannot be interrupted.
   * All other jobs prefer a yielding thread at rest, so that neither kind of thread outnumbers the batches that run at
   * a time.
   */
  #restingFor(mayYield: boolean): Thread | undefined {
    const resting = [...this.#resting]
    const others = resting.find(({ isYielding }) => !isYielding)
    return mayYield ? (resting.find(({ isYielding }) => isYielding) ?? others) : others
  }

  #start(): Thread {
    // Empty `execArgv`: modules that are preloaded into the service would only take memory here.
    const worker = new Worker(this.#script, { execArgv: [] })
    const thread: Thread = { worker, batch: null, isYielding: false }
    worker.on('message', ({ outcomes, isYielding, isStarving }: HashReport) => {
      const { batch } = thread
      thread.batch = null
      thread.isYielding = isYielding
      // A thread at rest must not keep the process alive.
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
