/** The journal: files of JSON lines, each of one process and synced before anything is acknowledged. */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DAY_MS } from '../settings/limits.ts'
import { type Journal, type JournalEntry, SET_BACK } from '../store/journal.ts'
import { WRITTEN_TOGETHER_MS } from '../store/missing-ends.ts'
import { type Clock, StoreUnavailable } from '../store/store.ts'
import { type JournalHeader, isOld, journalFiles } from './journal-files.ts'

export interface JournalOptions {
  readonly folder: string
  readonly instanceId: string
  /** The `Store.databaseId` that the journal is about. */
  readonly database: string
  readonly clock: Pick<Clock, 'nowMs'>
  /** Makes the file at once: a service's journal says since when it is complete, even while nothing ends. */
  readonly startAtOnce: boolean
  /** Keeps files that no backup needs any more. */
  readonly keepsOld?: boolean
  /** The last write of the instance that is known; 0 if none is. */
  readonly lastWrite?: number
  /** Numbers the write that follows. If this fails, nothing is written. */
  readonly numberWrite: () => Promise<number>
}

/** An entry that is not durable yet. */
interface Waiting {
  readonly entry: JournalEntry
  /**
   * The number of the write that was first tried with it; null before that. It stays, since the database had committed
   * the change before it counted this write, and perhaps others after it.
   */
  counted: number | null
}

/** When more entries than this wait, new ones are refused; a start finds the ends of sessions in the database. */
const MOST_WAITING = 100_000

/** Opens the journal of this process; its file is made with the first entry, or at once. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const made = await mkdir(options.folder, { recursive: true, mode: 0o700 })
  if (made !== undefined) await syncFolder(dirname(made))
  const journal = new FileJournal(options)
  if (options.startAtOnce) await journal.keepUp()
  return journal
}

class FileJournal implements Journal {
  readonly #folder: string
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #numberWrite: () => Promise<number>
  readonly #header: JournalHeader
  readonly #keepsOld: boolean
  #file: FileHandle | null = null
  #day = 0
  #files = 0
  #waiting: readonly Waiting[] = []
  /** The ends that this process has looked at: dated from the one time on, and before the other. */
  #coveredFromMs = 0
  #coveredToMs = 0
  #lastWrite: number
  #isSetBack = false
  #writing: Promise<void> | null = null
  /** The write after the one in progress. */
  #next: Promise<void> | null = null
  /** Whether a file of today is wanted even without entries. */
  #isDue = false

  constructor({
    folder,
    instanceId,
    database,
    clock,
    keepsOld = false,
    lastWrite = 0,
    numberWrite,
  }: JournalOptions) {
    this.#folder = folder
    this.#clock = clock
    this.#numberWrite = numberWrite
    this.#keepsOld = keepsOld
    this.#lastWrite = lastWrite
    this.#header = { journal: 1, instanceId, database, openedAtMs: clock.nowMs() }
  }

  get isSetBack(): boolean {
    return this.#isSetBack
  }

  async compare(counted: () => Promise<number>): Promise<void> {
    // Taken first: writes that come meanwhile may be counted after the answer.
    const least = this.#lastWrite
    if ((await counted()) < least) this.#isSetBack = true
  }

  covers(endedAtMs: number): boolean {
    return endedAtMs >= this.#coveredFromMs && endedAtMs < this.#coveredToMs
  }

  keepUp(): Promise<void> {
    this.#isDue = true
    return this.append([])
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    // A call without entries only tries to write those that wait.
    if (entries.length > 0 && this.#waiting.length > MOST_WAITING)
      return Promise.reject(unwritable(new Error('too much waits for it')))
    this.#waiting = [...this.#waiting, ...entries.map((entry) => ({ entry, counted: null }))]
    // Not with a next write about to start: both would write the same entries, and remove twice as many from the queue.
    if (this.#writing === null && this.#next === null) return this.#start()
    // Callers that come while a write is under way share the next write and its outcome.
    this.#next ??= Promise.resolve(this.#writing)
      .catch(() => {})
      .then(() => {
        this.#next = null
        return this.#start()
      })
    return this.#next
  }

  #start(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isDue) return Promise.resolve()
    this.#writing = this.#write().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const waiting = this.#waiting
    this.#isDue = false
    // The file comes first: once the database counts a write, a journal without a file counts as gone.
    const file = await this.#fileOfToday().catch((cause: unknown) => {
      throw unwritable(cause)
    })
    if (waiting.length === 0) return
    const write = await this.#nextNumber()
    for (const each of waiting) each.counted ??= write
    const lines = waiting.map((each) => lineOf(each, write))
    try {
      await file.appendFile(lines.join(''))
      await file.datasync()
    } catch (cause) {
      // The file may end in half a line, which would spoil the next: the next write begins a new file.
      this.#file = null
      await file.close().catch(() => {})
      throw unwritable(cause)
    }
    this.#waiting = this.#waiting.slice(waiting.length)
    for (const { entry } of waiting) {
      if (entry.kind !== 'complete' || entry.fromMs === undefined) continue
      // A look goes on where the one before it ended, unless the journal was lost meanwhile.
      if (entry.fromMs > this.#coveredToMs) this.#coveredFromMs = entry.fromMs
      this.#coveredToMs = entry.atMs - WRITTEN_TOGETHER_MS
    }
  }

  /**
   * A number that is not greater than the last shows that the database was set back: this process acknowledges nothing
   * more, and the database must be recovered.
   */
  async #nextNumber(): Promise<number> {
    if (!this.#isSetBack) {
      const write = await this.#numberWrite()
      this.#isSetBack = write <= this.#lastWrite
      this.#lastWrite = Math.max(this.#lastWrite, write)
      if (!this.#isSetBack) return write
    }
    throw unwritable(new Error(SET_BACK))
  }

  /** Begins a file each day, so that old ones can be removed once no backup worth restoring needs them. */
  async #fileOfToday(): Promise<FileHandle> {
    const nowMs = this.#clock.nowMs()
    const day = Math.floor(nowMs / DAY_MS)
    if (this.#file !== null && day === this.#day) return this.#file
    const name = `${nowMs}-${this.#header.instanceId}-${process.pid}-${this.#files}.jsonl`
    const path = join(this.#folder, name)
    const file = await open(path, 'a', 0o600)
    try {
      await file.appendFile(`${JSON.stringify(this.#header)}\n`)
      await file.datasync()
      await syncFolder(this.#folder)
    } catch (error) {
      await file.close().catch(() => {})
      // Otherwise each try on a full disk would leave a file.
      await rm(path, { force: true }).catch(() => {})
      throw error
    }
    const before = this.#file
    this.#file = file
    this.#files++
    this.#day = day
    await before?.close().catch(() => {})
    if (!this.#keepsOld) await removeOld(this.#folder, nowMs)
    return file
  }

  async close(): Promise<void> {
    await this.append([]).catch(() => {})
    await this.#file?.close()
  }
}

/** Goes by the store's clock, like all times in the files: this machine's may be wrong. */
async function removeOld(folder: string, nowMs: number): Promise<void> {
  // Another process may remove them first. Files that cannot be removed are no reason to refuse a write; `doctor` names
  // them.
  const files = await journalFiles(folder).catch(() => [])
  for (const file of files) {
    if (isOld(file, nowMs)) await rm(file.path, { force: true }).catch(() => {})
  }
}

/** The name of a new file or folder is durable only once its parent folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unwritable(cause: unknown): StoreUnavailable {
  if (cause instanceof StoreUnavailable) return cause
  return new StoreUnavailable(`the journal cannot be written: ${(cause as Error).message}`, { cause })
}

function lineOf({ entry, counted }: Waiting, write: number): string {
  const numbers = counted === write ? { write } : { write, counted }
  return `${JSON.stringify({ ...writable(entry), ...numbers })}\n`
}

function writable(entry: JournalEntry): object {
  if (entry.kind !== 'key') return entry
  return { ...entry, key: { ...entry.key, sealed: Buffer.from(entry.key.sealed).toString('base64url') } }
}
