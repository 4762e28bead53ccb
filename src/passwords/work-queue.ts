/** A bounded number of slow jobs at a time, a bounded number waiting, and a bound on the wait. */

export interface WorkQueueLimits<Job> {
  /** How many batches run at the same time. */
  readonly concurrency: number
  /** As many jobs are worked off together as wait for each of the `concurrency`, at most `most`; below `least` it is one at a time. */
  readonly together: { readonly least: number; readonly most: number }
  /** Whether a job may be one of those. A batch is answered when its slowest job is done, so what may take long runs alone. */
  readonly joins: (job: Job) => boolean
  readonly waiting: number
  /** How many of `ofOne` wait or run at most, for each of those it is for. */
  readonly ofOne: number
  readonly waitMs: number
}

/** What became of one job. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown }

/** The queue is full, or the wait was too long: say "come again", do not queue further. */
export class Overloaded extends Error {
  override name = 'Overloaded'
}

/** Kept in the queue for one job, until that comes or the place is given back. */
export interface Place<Job, Result> extends Disposable {
  /** As the queue's, but not refused for a queue that is full. The place is for one job: a second one takes its chance. */
  run(job: Job): Promise<Result>
}

interface Waiting<Job, Result> extends Pick<PromiseWithResolvers<Result>, 'resolve' | 'reject'> {
  readonly job: Job
  readonly timer: NodeJS.Timeout
}

export class WorkQueue<Job, Result> {
  readonly #limits: WorkQueueLimits<Job>
  readonly #work: (jobs: readonly Job[]) => Promise<readonly Outcome<Result>[]>
  readonly #waiting: Set<Waiting<Job, Result>> = new Set()
  /** How many jobs there are of those who have any by `ofOne`. */
  readonly #ofOne = new Map<number, number>()
  #running = 0
  #reserved = 0

  /** `work` tells the outcome of each job, in their order; when it fails itself, so has each of them. */
  constructor(
    limits: WorkQueueLimits<Job>,
    work: (jobs: readonly Job[]) => Promise<readonly Outcome<Result>[]>,
  ) {
    this.#limits = limits
    this.#work = work
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
  reserve(): Place<Job, Result> {
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

  /** The queue for what one account can bring about again and again: it is refused before it takes the room of all others. */
  ofOne(accountId: number): Pick<WorkQueue<Job, Result>, 'run'> {
    const count = (change: 1 | -1): number => {
      const now = (this.#ofOne.get(accountId) ?? 0) + change
      if (now === 0) this.#ofOne.delete(accountId)
      else this.#ofOne.set(accountId, now)
      return now
    }
    return {
      run: async (job) => {
        try {
          if (count(1) > this.#limits.ofOne) throw new Overloaded('there are too many jobs of this account')
          return await this.run(job)
        } finally {
          count(-1)
        }
      },
    }
  }

  /** @throws {Overloaded} instead of running the job */
  async run(job: Job): Promise<Result> {
    if (!this.hasRoom) throw new Overloaded('the queue is full')
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const timer = setTimeout(() => {
      this.#waiting.delete(waiting)
      reject(new Overloaded('the wait was too long'))
    }, this.#limits.waitMs)
    const waiting: Waiting<Job, Result> = { job, resolve, reject, timer }
    this.#waiting.add(waiting)
    this.#fill()
    return promise
  }

  #fill(): void {
    while (this.#running < this.#limits.concurrency && this.#waiting.size > 0) void this.#runSome()
  }

  async #runSome(): Promise<void> {
    const batch = this.#next()
    for (const waiting of batch) {
      this.#waiting.delete(waiting)
      clearTimeout(waiting.timer)
    }
    this.#running++
    const outcomes = await this.#outcomesOf(batch.map(({ job }) => job))
    this.#running--
    // Before those who are done go on, so that the next jobs do not wait for what they do then.
    this.#fill()
    batch.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i] as Outcome<Result>
      if ('value' in outcome) resolve(outcome.value)
      else reject(outcome.error)
    })
  }

  #next(): readonly Waiting<Job, Result>[] {
    const { concurrency, together, joins } = this.#limits
    const [first, ...others] = this.#waiting
    if (first === undefined) return []
    const joining = joins(first.job) ? [first, ...others.filter(({ job }) => joins(job))] : []
    const each = Math.floor(joining.length / concurrency)
    return each < together.least ? [first] : joining.slice(0, Math.min(each, together.most))
  }

  async #outcomesOf(jobs: readonly Job[]): Promise<readonly Outcome<Result>[]> {
    try {
      return await this.#work(jobs)
    } catch (error) {
      return jobs.map(() => ({ error }))
    }
  }
}
