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

/** Kept in the queue for one job, until that comes or the place is given back. */
export interface Place extends Disposable {
  /** As the queue's, but not refused for a queue that is full. */
  run<T>(job: () => Promise<T>): Promise<T>
}

interface Waiting {
  start(): void
  readonly timer: NodeJS.Timeout
}

export class WorkQueue {
  readonly #limits: WorkQueueLimits
  readonly #waiting: Set<Waiting> = new Set()
  #running = 0
  #reserved = 0

  constructor(limits: WorkQueueLimits) {
    this.#limits = limits
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running
  }

  /** Whether one more job would be taken in now. */
  get hasRoom(): boolean {
    const { concurrency, waiting } = this.#limits
    return this.#running + this.#waiting.size + this.#reserved < concurrency + waiting
  }

  /**
   * For who has something to do before his job that must not be in vain: he is refused now, or not at all for want of room.
   * @throws {Overloaded}
   */
  reserve(): Place {
    if (!this.hasRoom) throw new Overloaded('the queue is full')
    this.#reserved++
    let isKept = true
    const giveBack = () => {
      if (isKept) this.#reserved--
      isKept = false
    }
    return {
      run: (job) => {
        giveBack()
        return this.run(job)
      },
      [Symbol.dispose]: giveBack,
    }
  }

  /** @throws {Overloaded} instead of running the job */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (!this.hasRoom) throw new Overloaded('the queue is full')
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
