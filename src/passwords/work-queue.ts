/** A queue for slow jobs, with bounds on how many run at a time, on how many wait, and on the wait. */

export interface WorkQueueLimits<Job> {
  /** How many batches run at the same time. */
  readonly concurrency: number
  /**
   * The size of a batch: the number of waiting jobs that join batches, divided by `concurrency`, but at most `most`. If
   * that is less than `least`, a batch is one job.
   */
  readonly together: { readonly least: number; readonly most: number }
  /**
   * Whether a job may share a batch. No job of a batch is answered before all are done, so a job that may take long
   * runs alone.
   */
  readonly joins: (job: Job) => boolean
  readonly waiting: number
  /** The most jobs of one account that may wait or run at a time, of those that come through `ofOne`. */
  readonly ofOne: number
  readonly waitMs: number
}

/** What became of one job. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown }

/** The queue is full, or the wait was too long. The client is to be told to try again later. */
export class Overloaded extends Error {
  override name = 'Overloaded'
}

/** A place in the queue that is reserved for one job, until the job is run or the place is disposed of. */
export interface Place<Job, Result> extends Disposable {
  /** As `run` of the queue, but never refused because the queue is full. This holds for the first job only. */
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
  /** The number of jobs that came through `ofOne`, by account id; accounts without any have no entry. */
  readonly #ofOne = new Map<number, number>()
  #running = 0
  #reserved = 0

  /** `work` runs a batch and returns the outcome of each job, in order. If `work` itself fails, so do all its jobs. */
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

  /** Whether one more job would be accepted now. */
  get hasRoom(): boolean {
    const { concurrency, waiting } = this.#limits
    return this.#running + this.#waiting.size + this.#reserved < concurrency + waiting
  }

  /**
   * Reserves a place, for a caller that has other work to do before its job: a full queue refuses the caller now, and
   * not after that work.
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

  /**
   * The queue for jobs that one account can cause again and again: beyond a bound they are refused, so that they leave
   * room for those of others.
   */
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
    // Before the batch is answered, so that the next jobs do not wait for what its callers do then.
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
