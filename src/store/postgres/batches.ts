/**
 * At most so many requests wait for their batch. More would only wait longer, until nobody is answered in time; so they are
 * refused at once, and those who wait are served.
 */
export const MOST_WAITING = 512

export interface Batching<J> {
  /** How many jobs at most share a batch, and how many batches are under way at a time. */
  readonly jobs: number
  readonly running: number
  /** Jobs with the same key are never in two batches at a time, so that a process does not race itself for a row. */
  readonly keyOf?: (job: J) => string
  /** Settles the jobs of a batch, or rejects. */
  readonly run: (batch: readonly J[]) => Promise<void>
  /** Settles a job of a batch that failed, unless that has been done. */
  readonly fail: (job: J, error: unknown) => void
}

/** Lets jobs that arrive together share their round trips to the database. */
export class Batches<J> {
  readonly #how: Batching<J>
  #waiting: J[] = []
  /** The keys of each batch under way. Not one set for all, for the reason in `watchDeadlines`. */
  #running: readonly ReadonlySet<string>[] = []
  #scheduled = false

  constructor(how: Batching<J>) {
    this.#how = how
  }

  /** Whether one more job may wait. */
  get hasRoom(): boolean {
    return this.#waiting.length < MOST_WAITING
  }

  add(job: J): void {
    this.#waiting.push(job)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#running.length >= this.#how.running) return
    this.#scheduled = true
    // After everything else of this turn, so that all its jobs are together.
    setImmediate(() => this.#start())
  }

  #start(): void {
    this.#scheduled = false
    while (this.#running.length < this.#how.running) {
      const batch = this.#take()
      if (batch.length === 0) return
      const keys = new Set(this.#how.keyOf === undefined ? [] : batch.map(this.#how.keyOf))
      this.#running = [...this.#running, keys]
      this.#how
        .run(batch)
        .catch((error: unknown) => {
          for (const job of batch) this.#how.fail(job, error)
        })
        .finally(() => {
          this.#running = this.#running.filter((each) => each !== keys)
          this.#schedule()
        })
    }
  }

  /** The longest waiting jobs whose keys are free, in their order. */
  #take(): readonly J[] {
    const batch: J[] = []
    const rest: J[] = []
    for (const job of this.#waiting) {
      const joins = batch.length < this.#how.jobs && !this.#isBusy(job)
      ;(joins ? batch : rest).push(job)
    }
    this.#waiting = rest
    return batch
  }

  #isBusy(job: J): boolean {
    const key = this.#how.keyOf?.(job)
    return key !== undefined && this.#running.some((keys) => keys.has(key))
  }
}
