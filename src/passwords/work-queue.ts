/** A bounded number of slow jobs at a time, a bounded number waiting, and a bound on the wait. */

export interface WorkQueueLimits {
  readonly concurrency: number
  readonly waiting: number
  readonly waitMs: number
}

/** The queue is full, or the wait was too long: say "come again", do not queue further. */
export class Overloaded extends Error {
  override name = 'Overloaded'
}

interface Waiting {
  start(): void
  readonly timer: NodeJS.Timeout
}

export class WorkQueue {
  readonly #limits: WorkQueueLimits
  readonly #waiting: Set<Waiting> = new Set()
  #running = 0

  constructor(limits: WorkQueueLimits) {
    this.#limits = limits
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running
  }

  /** @throws {Overloaded} instead of running the job */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.concurrency) await this.#turn()
    else this.#running++
    try {
      return await job()
    } finally {
      this.#next()
    }
  }

  /** Waits for a place; the place is handed over by `#next` without becoming free in between. */
  #turn(): Promise<void> {
    if (this.#waiting.size >= this.#limits.waiting) return Promise.reject(new Overloaded('the queue is full'))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting)
        reject(new Overloaded('the wait was too long'))
      }, this.#limits.waitMs)
      const waiting: Waiting = { start: resolve, timer }
      this.#waiting.add(waiting)
    })
  }

  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#running--
      return
    }
    this.#waiting.delete(first)
    clearTimeout(first.timer)
    first.start()
  }
}
