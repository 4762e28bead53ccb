/**
 * At most this many requests wait for a batch. With more, all would wait until nobody is answered in time; so further
 * requests are refused at once, and those that wait are served.
 */
export const MOST_WAITING = 512

/** With each batch, the remembered size of the crowd shrinks by a tenth. */
const CROWD_FADES = 0.9
/** Batches up to this size are not divided: requests for a session belong together, and a batch has a fixed cost. */
const SMALL_BATCH = 8
/** How long a batch smaller than half the crowd waits for more jobs, or for a batch under way, which may be stuck. */
const PATIENCE_MS = 5

export interface Batching<J> {
  /** The most jobs that share a batch, and the most batches under way at a time. */
  readonly jobs: number
  readonly running: number
  /** Jobs with the same key are never in two batches at a time, so that a process does not race itself for a row. */
  readonly keyOf?: (job: J) => string
  /** Settles the jobs of a batch, or rejects. */
  readonly run: (batch: readonly J[]) => Promise<void>
  /** Settles a job of a batch that failed, unless the job is settled already. */
  readonly fail: (job: J, error: unknown) => void
}

/**
 * Lets jobs that arrive together share their round trips to the database.
 *
 * A batch takes half of the crowd, which is all jobs that wait or are under way, now or recently. So the database works
 * on one half while the service decides and answers the other half. If each batch took all that wait, all clients would
 * be answered at once and come again at once, and database and service would take turns instead of working at the same
 * time.
 */
export class Batches<J> {
  readonly #how: Batching<J>
  #waiting: J[] = []
  /** The jobs and keys of each batch under way. Not one set for all, for the reason given in `watchDeadlines`. */
  #running: readonly { readonly jobs: number; readonly keys: ReadonlySet<string> }[] = []
  #scheduled = false
  #crowd = 0
  #patience: NodeJS.Timeout | undefined

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
    // Runs after everything else in this turn of the event loop, so that all jobs of the turn are together.
    setImmediate(() => this.#start(false))
  }

  #start(isPatienceOver: boolean): void {
    this.#scheduled = false
    while (this.#running.length < this.#how.running && this.#waiting.length > 0) {
      const underWay = this.#running.reduce((sum, { jobs }) => sum + jobs, 0)
      const crowd = Math.max(this.#waiting.length + underWay, this.#crowd)
      const half = Math.min(Math.ceil(crowd / 2), this.#how.jobs)
      if (this.#waiting.length < half && underWay > 0 && !isPatienceOver) {
        // The timer runs from the first job that has to wait; later ones do not restart it.
        this.#patience ??= setTimeout(() => {
          this.#endPatience()
          this.#start(true)
        }, PATIENCE_MS)
        return
      }
      this.#endPatience()
      const batch = this.#take(Math.min(Math.max(half, SMALL_BATCH), this.#how.jobs))
      if (batch.length === 0) return
      this.#crowd = crowd * CROWD_FADES
      const keys = new Set(this.#how.keyOf === undefined ? [] : batch.map(this.#how.keyOf))
      const running = { jobs: batch.length, keys }
      this.#running = [...this.#running, running]
      this.#how
        .run(batch)
        .catch((error: unknown) => {
          for (const job of batch) this.#how.fail(job, error)
        })
        .finally(() => {
          this.#running = this.#running.filter((each) => each !== running)
          this.#schedule()
        })
    }
  }

  #endPatience(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  /** The longest waiting jobs whose keys are free, in their order, at most `most` of them. */
  #take(most: number): readonly J[] {
    const batch: J[] = []
    const rest: J[] = []
    for (const job of this.#waiting) {
      const joins = batch.length < most && !this.#isBusy(job)
      ;(joins ? batch : rest).push(job)
    }
    this.#waiting = rest
    return batch
  }

  #isBusy(job: J): boolean {
    const key = this.#how.keyOf?.(job)
    return key !== undefined && this.#running.some(({ keys }) => keys.has(key))
  }
}
