/**
 * Rotations are appended to a table of their own and settled into the rows of their sessions later
 * (docs/decisions/0014). A batch of appended rotations fills a page or two, while updating the rows would change a page
 * for each rotation, all over the file; so commits and checkpoints write a fraction. The newest state of each session
 * in the log is kept in memory; the table is read at the start of a service, at the first use in a command, and when
 * another process has written.
 *
 * Settling goes through the sessions approximately in the order of their ids, since neighbours share a page. While
 * rotations are appended, each transaction settles about as many; in quiet times, small steps do. A rotation whose id
 * is at most `settled_to` is settled: it no longer counts, even if a process still has it in memory.
 */
import type { Session } from '../../core/session.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'
import type { Follower } from './follower.ts'
import { INSERT, LOAD, SETTLE_ALL, SETTLE_ONE, tailFrom, tailOf, valuesOf } from './rotation-rows.ts'
import { MOST_TEXT_CHARACTERS, type Tail, Tails } from './rotation-tails.ts'

/** Settling begins at this many while as many again may come: twice 15 MB of memory, kept until traffic pauses. */
const FULL = 100_000
/** A transaction settles this many more than it appends, so that settling is done before the log is full again. */
const AHEAD = 4
/** How many settled rotations a transaction removes from the table: a few dozen pages. */
const REMOVED_AT_ONCE = 2000
/** After this time without a rotation the log is settled in steps, each short enough for a request to wait for. */
const QUIET_MS = 1000
const QUIET_STEP = 200
const QUIET_PAUSE_MS = 20
/** A start reads this many at a time, some two milliseconds; its other work and first requests run in between. */
const LOADED_AT_ONCE = 1000
const LOAD_PAUSE_MS = 20

export interface RotationLogOptions {
  /** For a long-running process. */
  readonly settlesWhenQuiet: boolean
  /** How many rotations the log may hold before settling begins. */
  readonly fullAt?: number
}

export class RotationLog implements Follower {
  readonly #connection: Connection
  readonly #settlesWhenQuiet: boolean
  readonly #fullAt: number
  #timer: NodeJS.Timeout | null = null
  /** The tails that are not being settled yet. */
  #young = new Tails()
  /** The tails that are being settled. */
  #old: Tails | null = null
  /** An empty `Tails`, whose memory the next `#young` takes over. */
  #spare: Tails | null = null
  /** The id of the last rotation in `#old`. */
  #oldTo = 0
  #lastId = 0
  #settledTo = 0
  /** Rotations up to this id are removed from the table; less than `#settledTo` while settled ones are still in it. */
  #removedTo = 0
  /** The version of the database that the state in memory reflects; null until the log has been read whole. */
  #version: number | null = null
  #mustStartOver = true
  #transaction = newTransaction()
  #isStopped = false

  constructor(connection: Connection, { settlesWhenQuiet, fullAt = FULL }: RotationLogOptions) {
    this.#connection = connection
    this.#settlesWhenQuiet = settlesWhenQuiet
    this.#fullAt = fullAt
    connection.follow(this)
  }

  /** The current state of a session, given the session as its row has it; inside a transaction. */
  current<S extends Session>(session: S): S {
    this.#catchUp()
    const tail = this.#tailOf(session.sessionId)
    // A session never goes back behind its row, whichever process wrote the row.
    if (tail === undefined || tail.generation < session.generation) return session
    return { ...session, ...tail, lastUsedAtMs: Math.max(session.lastUsedAtMs, tail.lastUsedAtMs) }
  }

  /**
   * Begins to read the log and goes on between requests; a request that needs the log meanwhile reads the rest at once.
   * After that, the log is settled in quiet times.
   */
  async load(): Promise<void> {
    await this.#connection.readTogether(() => this.#catchUp(LOADED_AT_ONCE))
    // Without a version, there is more to read.
    if (this.#version === null) this.#goOnIn(LOAD_PAUSE_MS, () => this.load())
    else if (!this.#isSettled()) this.#lookAgainIn(QUIET_MS)
  }

  /** Appends a session as a refresh left it: one statement inside the transaction in which it was read. */
  append(session: Session): void {
    this.#catchUp()
    const { sessionId } = session
    const tail = tailOf(session)
    // Whatever the memory cannot take must fail before the insert: a committed rotation must be in memory, too.
    if (Math.max(sessionId.length, tail.attemptKey?.length ?? 0) > MOST_TEXT_CHARACTERS)
      throw new RangeError('a session id or attempt key is longer than ours are')
    this.#young.makeRoom()
    const { appended } = this.#transaction
    const rotationId = this.#lastId + appended.length + 1
    this.#connection.sql(INSERT).run(rotationId, sessionId, ...valuesOf(tail))
    appended.push({ sessionId, before: this.#young.get(sessionId) })
    this.#young.put(sessionId, tail)
  }

  /** Brings the rows of these sessions up to date, inside the caller's transaction. */
  settle(sessionIds: Iterable<string>): void {
    this.#catchUp()
    for (const sessionId of sessionIds) {
      const tail = this.#tailOf(sessionId)
      if (tail !== undefined) this.#write(sessionId, tail)
    }
  }

  /** Brings all rows up to date, inside the caller's transaction. */
  settleAll(): void {
    this.#connection.exec(SETTLE_ALL)
    // The rotations that this transaction has appended are settled as well.
    this.#transaction = { ...newTransaction(), hasSettledAll: true }
    this.#forget()
  }

  begun(): void {
    this.#transaction = newTransaction()
  }

  committing(): void {
    const { appended, asked } = this.#transaction
    if (appended.length > 0 || asked > 0) this.#settleSome(appended.length + AHEAD + asked)
  }

  committed(): void {
    const { appended, asked, takenOut, removed } = this.#transaction
    // Reset here, not only in the next `begun`: a committed transaction must never be undone.
    this.#transaction = newTransaction()
    this.#lastId += appended.length
    this.#removedTo = Math.max(this.#removedTo, removed)
    this.#old?.takeOut(takenOut)
    if (this.#old?.left === 0) {
      this.#old.clear()
      this.#spare = this.#old
      this.#old = null
      this.#settledTo = this.#oldTo
    }
    if (this.#lastId - this.#settledTo >= this.#fullAt) this.#beginSettling()
    if (!this.#settlesWhenQuiet) return
    if (appended.length > 0) this.#lookAgainIn(QUIET_MS)
    else if (asked > 0 && !this.#isSettled()) this.#lookAgainIn(QUIET_PAUSE_MS)
    else if (asked > 0) this.#giveMemoryBack()
  }

  undone(): void {
    const { appended, hasSettledAll } = this.#transaction
    this.#transaction = newTransaction()
    // The rollback brings back what `settleAll` had settled and the memory had dropped.
    if (hasSettledAll) this.#forget()
    else for (const { sessionId, before } of appended.reverse()) this.#young.undoPut(sessionId, before)
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #tailOf(sessionId: string): Tail | undefined {
    return this.#young.get(sessionId) ?? this.#old?.get(sessionId)
  }

  /** Takes over what other processes appended and settled, reading at most `most` rotations; once per transaction. */
  #catchUp(most = Number.MAX_SAFE_INTEGER): void {
    if (this.#transaction.isCurrent) return
    const version = this.#connection.dataVersion()
    if (version !== this.#version) {
      const settledTo = this.#number('select settled_to from rotation_log')
      if (settledTo !== this.#settledTo || this.#mustStartOver) this.#startOver(settledTo)
      const rows = this.#connection.sql(LOAD).iterate(this.#lastId, most) as unknown as Iterable<Row>
      let read = 0
      for (const [rotationId, sessionId, ...columns] of rows) {
        this.#young.put(sessionId as string, tailFrom(columns))
        this.#lastId = rotationId as number
        read++
      }
      if (read === most) return
      this.#version = version
    }
    this.#transaction.isCurrent = true
  }

  #forget(): void {
    this.#version = null
    this.#mustStartOver = true
  }

  #giveMemoryBack(): void {
    this.#young.giveBack()
    this.#spare?.giveBack()
  }

  #startOver(settledTo: number): void {
    this.#mustStartOver = false
    this.#young = new Tails()
    this.#old = null
    this.#settledTo = settledTo
    this.#lastId = settledTo
    const before =
      'select coalesce((select min(rotation_id) - 1 from rotations), settled_to) from rotation_log'
    this.#removedTo = this.#number(before)
  }

  #beginSettling(): void {
    if (this.#old !== null || this.#removedTo < this.#settledTo || this.#young.left === 0) return
    this.#old = this.#young
    this.#oldTo = this.#lastId
    this.#young = this.#spare ?? new Tails()
    this.#spare = null
  }

  /** Inside the transaction: settles the next `count` sessions of `#old`, or removes settled rotations. */
  #settleSome(count: number): void {
    this.#catchUp()
    const old = this.#old
    if (old === null) return this.#removeSome()
    const sessionIds = old.peek(count)
    for (const sessionId of sessionIds) {
      // A session that is in `#young` too will be settled later, with its newer state.
      if (!this.#young.has(sessionId)) this.#write(sessionId, old.get(sessionId) as Tail)
    }
    this.#transaction.takenOut = sessionIds.length
    if (old.left === sessionIds.length)
      this.#connection.run('update rotation_log set settled_to = ?', this.#oldTo)
  }

  #removeSome(): void {
    if (this.#removedTo >= this.#settledTo) return
    const to = Math.min(this.#removedTo + REMOVED_AT_ONCE, this.#settledTo)
    this.#connection.run('delete from rotations where rotation_id <= ?', to)
    this.#transaction.removed = to
  }

  #write(sessionId: string, tail: Tail): void {
    this.#connection.sql(SETTLE_ONE).run(...valuesOf(tail), sessionId, tail.generation)
  }

  #lookAgainIn(ms: number): void {
    this.#goOnIn(ms, () => this.#settleInQuiet())
  }

  /** Replaces what was scheduled. If `goOn` fails, it runs again later; requests learn of the failure themselves. */
  #goOnIn(ms: number, goOn: () => Promise<void>): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void goOn().catch(() => this.#goOnIn(QUIET_MS, goOn)), ms).unref()
  }

  #settleInQuiet(): Promise<void> {
    const step = () => {
      this.#catchUp()
      // Not if a refresh shares the transaction after all: its rotation would be in `#old` with an id beyond `#oldTo`.
      if (this.#transaction.appended.length === 0) this.#beginSettling()
      this.#transaction.asked = QUIET_STEP
    }
    return this.#connection.write(step)
  }

  #isSettled(): boolean {
    return this.#lastId === this.#settledTo && this.#removedTo >= this.#settledTo
  }

  #number(sql: string): number {
    return (this.#connection.row(sql) as readonly [number])[0]
  }
}

/** What the current transaction has done to the log. */
function newTransaction() {
  return {
    isCurrent: false,
    /** Appended rotations, which `#young` already has, and the tails they replaced. A session may have several. */
    appended: [] as { readonly sessionId: string; readonly before: Tail | undefined }[],
    /** How many rotations the transaction is to settle beyond its usual share. */
    asked: 0,
    takenOut: 0,
    removed: 0,
    hasSettledAll: false,
  }
}
