/**
 * Threads of our own that hash passwords, each started when it is first needed. They have a lower priority than the rest of
 * the process, which the threads of Node's own pool cannot have (docs/decisions/0015-hashes-in-threads-of-their-own.md).
 */
import { Worker } from 'node:worker_threads'

export type HashJob =
  | { readonly kind: 'hash'; readonly password: string; readonly parameters: Argon2Parameters }
  | { readonly kind: 'verify-argon2' | 'verify-bcrypt'; readonly password: string; readonly hash: string }

export interface Argon2Parameters {
  /** KiB. */
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

type Answer = { readonly value: unknown } | { readonly error: unknown }

interface Thread {
  readonly worker: Worker
  /** What it works on; null while it rests. */
  job: PromiseWithResolvers<unknown> | null
}

export class HashPool {
  readonly #script: URL
  readonly #resting: Set<Thread> = new Set()

  constructor(script = new URL('./hash-thread.mjs', import.meta.url)) {
    this.#script = script
  }

  /** As many jobs run at a time as are asked for: the bound is the caller's. Fails if the thread dies of the job. */
  run(job: HashJob): Promise<unknown> {
    const [thread = this.#start()] = this.#resting
    this.#resting.delete(thread)
    const outcome = Promise.withResolvers<unknown>()
    thread.job = outcome
    thread.worker.ref()
    thread.worker.postMessage(job)
    return outcome.promise
  }

  #start(): Thread {
    // Without what is preloaded into the service: it would only take memory here.
    const worker = new Worker(this.#script, { execArgv: [] })
    const thread: Thread = { worker, job: null }
    worker.on('message', (answer: Answer) => {
      const { job } = thread
      thread.job = null
      // A thread at rest keeps no process from ending.
      worker.unref()
      this.#resting.add(thread)
      if ('value' in answer) job?.resolve(answer.value)
      else job?.reject(answer.error)
    })
    worker.on('error', (error) => thread.job?.reject(error))
    worker.on('exit', () => {
      this.#resting.delete(thread)
      thread.job?.reject(new Error('the thread ended before its hash was done'))
    })
    return thread
  }
}
