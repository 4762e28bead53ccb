/** One SQLite database: prepared statements, group commit, and refusal of excess work. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Application } from '../../core/application.ts'
import type { Row } from '../rows.ts'
import { type Clock, StoreUnavailable } from '../store.ts'
import { StoreBusy } from '../store-busy.ts'
import { isLocked, translate, unavailableIfSo } from './errors.ts'
import type { Follower } from './follower.ts'
import { type Job, type Read, settle } from './job.ts'
import { openDatabase } from './open-database.ts'
import { Turn } from './turn.ts'

/** A write waits this long for a lock that another process holds; then it fails, since the store is unavailable. */
const LOCK_WAIT_MS = 2000
/** Pause between two tries for the lock; waiting inside SQLite would stop the whole process. */
const LOCK_RETRY_MS = 5
/** At most this many writes, or reads, share a transaction. */
export const MOST_AT_ONCE = 256

export class Connection {
  readonly clock: Clock
  /**
   * The applications that the current transaction has read, by their ids; emptied at the start of each transaction. Not
   * a map: one that is emptied keeps all it ever held until the next full garbage collection (docs/decisions/0017).
   */
  readonly applications: [applicationId: number, application: Application | null][] = []
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #queue: Job[] = []
  #reads: Read[] = []
  #scheduled = false
  #closed = false
  #isLocked = false
  /** Whether writes have been given up because of a lock, and no batch has been committed since. */
  #isLockedForLong = false
  readonly #turn = new Turn()
  #afterCommit: () => void = () => {}
  readonly #followers: Follower[] = []
  /** Null until the current transaction has asked for it. */
  #dataVersion: number | null = null

  constructor(file: string, clock: Clock) {
    this.clock = clock
    this.#db = openDatabase(file)
  }

  exec(sql: string): void {
    translate(() => this.#db.exec(sql))
  }

  /** The statement of this text, prepared once; its rows are arrays. */
  sql(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (statement === undefined) {
      statement = this.#db.prepare(text)
      statement.setReturnArrays(true)
      this.#statements.set(text, statement)
    }
    return statement
  }

  /** The rows that a statement reads or returns. */
  rows(text: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.sql(text).all(...values) as unknown as readonly Row[]
  }

  /** The first of them; undefined if there is none. */
  row(text: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.sql(text).get(...values) as Row | undefined
  }

  /** Returns how many rows the statement changed. */
  run(text: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.sql(text).run(...values).changes)
  }

  /** Reads what is committed. A transaction of this process runs within one turn, so no read sees it half done. */
  read<T>(work: () => T): T {
    return translate(work)
  }

  /**
   * Runs `work` in a transaction shared with the other reads of this turn of the event loop, up to `MOST_AT_ONCE`. That
   * costs much less than one transaction for each: beginning it is the greater part of a small read.
   */
  readTogether<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    if (!this.#hasRoomToRead()) return Promise.reject(new StoreBusy())
    return new Promise<T>((resolve, reject) => {
      this.#turn.tookWork(performance.now())
      this.#reads.push({ work, resolve: resolve as (value: unknown) => void, reject })
      if (this.#reads.length === 1) this.#afterTurn(() => this.#readAll())
    })
  }

  /**
   * Runs `work` in a transaction that it shares with the other writes of this turn, up to `MOST_AT_ONCE`; the promise
   * settles after the commit. `work` must be synchronous and free of other effects, because it runs again if the
   * database was locked. If `work` throws, only its own writes are undone. `single` says that it runs at most one
   * statement that writes, which SQLite undoes by itself when it fails, so that no savepoint is needed.
   */
  write<T>(work: () => T, options: { readonly single?: boolean } = {}): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    if (!this.hasRoomToWrite()) return Promise.reject(this.#refusal())
    return new Promise<T>((resolve, reject) => {
      const nowMs = performance.now()
      const deadlineMs = nowMs + LOCK_WAIT_MS
      this.#turn.tookWork(nowMs)
      const { single = false } = options
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject, deadlineMs, single })
      this.#schedule()
    })
  }

  /**
   * How many frames the write-ahead log holds, and how many of them are in the database file already. Needs SQLite 3.51
   * or newer, which the launcher ensures.
   */
  logState(): { readonly frames: number; readonly copied: number } {
    const [, frames, copied] = this.row('pragma wal_checkpoint(noop)') as readonly number[]
    return { frames: frames ?? 0, copied: copied ?? 0 }
  }

  /** A version that changes with each commit by another connection; inside a transaction. */
  dataVersion(): number {
    this.#dataVersion ??= (this.row('pragma data_version') as readonly [number])[0]
    return this.#dataVersion
  }

  /** Defines the SQL function `name` of one argument; `work` must not use the connection. */
  define(name: string, work: (value: SQLOutputValue) => void): void {
    this.#db.function(name, (value) => {
      work(value)
      return null
    })
  }

  /** Sets the one listener that is called after each commit of a batch of writes; for the checkpointer. */
  onCommit(listener: () => void): void {
    this.#afterCommit = listener
  }

  /** From now on, tells `follower` about the transactions of `write` and `readTogether`. */
  follow(follower: Follower): void {
    this.#followers.push(follower)
  }

  /** Whether one more write is accepted. May make room: runs a full batch at once if the turn leaves time for it. */
  hasRoomToWrite(): boolean {
    if (this.#queue.length < MOST_AT_ONCE) return true
    // While another process holds the lock, nothing can be written.
    if (this.#isLocked || !this.#mayRunEarly()) return false
    this.#flush()
    return this.#queue.length < MOST_AT_ONCE
  }

  /**
   * `StoreBusy`, with which the service stays ready, unless writes have already been given up because of a lock. A short
   * lock, as of each command that writes, is no reason to take an overloaded service out of service.
   */
  #refusal(): StoreUnavailable {
    if (!this.#isLocked || !this.#isLockedForLong) return new StoreBusy()
    return new StoreUnavailable('another process holds the lock')
  }

  #hasRoomToRead(): boolean {
    if (this.#reads.length < MOST_AT_ONCE) return true
    if (!this.#mayRunEarly()) return false
    this.#readAll()
    return true
  }

  #mayRunEarly(): boolean {
    // Transactions do not nest.
    return !this.#db.isTransaction && this.#turn.leavesTime(performance.now())
  }

  /** Runs `work` once the event loop has read all input that was ready. */
  #afterTurn(work: () => void): void {
    setImmediate(() => {
      this.#turn.end()
      work()
    })
  }

  #readAll(): void {
    const reads = this.#reads
    this.#reads = []
    // They were a full batch and have been run early.
    if (reads.length === 0) return
    try {
      if (this.#closed) throw new StoreUnavailable('the store is closed')
      this.#begin('begin')
    } catch (error) {
      for (const { reject } of reads) reject(unavailableIfSo(error))
      return
    }
    for (const { work, resolve, reject } of reads) {
      try {
        resolve(work())
      } catch (error) {
        reject(unavailableIfSo(error))
      }
    }
    this.#finish('commit')
  }

  #begin(sql: 'begin' | 'begin immediate'): void {
    this.sql(sql).run()
    this.applications.length = 0
    this.#dataVersion = null
    for (const follower of this.#followers) follower.begun()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#afterTurn(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    const batch = this.#queue
    this.#queue = []
    this.#isLocked = false
    if (batch.length === 0) return
    try {
      this.#begin('begin immediate')
    } catch (error) {
      this.#failed(batch, error)
      return
    }
    try {
      for (const job of batch) this.#run(job)
      for (const follower of this.#followers) follower.committing?.()
      this.sql('commit').run()
    } catch (error) {
      this.#finish('rollback')
      for (const follower of this.#followers) follower.undone()
      this.#failed(batch, error)
      return
    }
    for (const follower of this.#followers) follower.committed?.()
    this.#isLockedForLong = false
    for (const job of batch) settle(job)
    this.#afterCommit()
  }

  #run(job: Job): void {
    const { single } = job
    if (!single) this.sql('savepoint job').run()
    try {
      job.outcome = { value: job.work() }
      if (!single) this.sql('release job').run()
    } catch (error) {
      if (isLocked(error) || !this.#db.isTransaction) throw error
      if (!single) {
        this.sql('rollback to job').run()
        this.applications.length = 0
        this.sql('release job').run()
      }
      job.outcome = { error: unavailableIfSo(error) }
    }
  }

  #failed(batch: Job[], error: unknown): void {
    const locked = isLocked(error)
    const nowMs = performance.now()
    for (const job of batch) {
      if (locked && nowMs < job.deadlineMs && !this.#closed) this.#queue.push(job)
      else job.reject(unavailableIfSo(error))
    }
    this.#isLocked = this.#queue.length > 0
    if (locked && this.#queue.length < batch.length) this.#isLockedForLong = true
    if (!this.#isLocked || this.#scheduled) return
    this.#scheduled = true
    setTimeout(() => this.#afterTurn(() => this.#flush()), LOCK_RETRY_MS)
  }

  #finish(sql: 'commit' | 'rollback'): void {
    try {
      if (this.#db.isTransaction) this.#db.exec(sql)
    } catch {
      // The transaction is over already, as intended.
    }
  }

  /** Commits the waiting writes, then closes. Writes that a lock of another process prevents are refused at once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#flush()
    this.#statements.clear()
    this.#db.close()
  }
}
