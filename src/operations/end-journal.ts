/** The journal as files in the data folder: one for each process, JSON lines, synced before anything is acknowledged. */
import { type FileHandle, mkdir, open, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../settings/limits.ts'
import { type Journal, type JournalEntry, type WrittenEntry, isJournalEntry } from '../store/journal.ts'
import { type Clock, StoreUnavailable } from '../store/store.ts'

const DAY_MS = 86_400_000
/** Of a journal: when it was made, whose it is, process and number. */
const FILE_NAME = /^\d+-(.+)-\d+-\d+\.jsonl$/

/** The first line of a file: who wrote it, and from when on it is complete. */
export interface JournalHeader {
  readonly journal: 1
  readonly instanceId: string
  readonly openedAtMs: number
}

export interface ReadJournal {
  readonly headers: readonly JournalHeader[]
  /** Everybody who wrote there, also those whose headers count no more, with the number of his last write. */
  readonly writes: ReadonlyMap<string, number>
  /** Oldest first. */
  readonly entries: readonly WrittenEntry[]
}

export interface JournalOptions {
  readonly folder: string
  readonly instanceId: string
  readonly clock: Pick<Clock, 'nowMs'>
  /** A service's journal says from when on it is complete, also while nothing ends. */
  readonly startAtOnce: boolean
  /** The number of the write that is about to happen; nothing is written when it fails. */
  readonly numberWrite: () => Promise<number>
}

/** So many wait for a journal that cannot be written, and more are refused. A start finds the ends of sessions in the database. */
const MOST_WAITING = 100_000

/** The journal of this process; its file is made with the first entry, or at once. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  const journal = new FileJournal(options)
  if (options.startAtOnce) await journal.start()
  return journal
}

class FileJournal implements Journal {
  readonly #folder: string
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #numberWrite: () => Promise<number>
  readonly #header: JournalHeader
  #file: FileHandle | null = null
  #day = 0
  #files = 0
  #waiting: readonly JournalEntry[] = []
  #lastWrite = 0
  #isSetBack = false
  #writing: Promise<void> | null = null
  /** The write after the one that is under way. */
  #next: Promise<void> | null = null

  constructor({ folder, instanceId, clock, numberWrite }: JournalOptions) {
    this.#folder = folder
    this.#clock = clock
    this.#numberWrite = numberWrite
    this.#header = { journal: 1, instanceId, openedAtMs: clock.nowMs() }
  }

  async start(): Promise<void> {
    try {
      await this.#fileOfToday()
    } catch (cause) {
      throw unwritable(cause)
    }
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    // Without entries it is a try to write those that wait.
    if (entries.length > 0 && this.#waiting.length > MOST_WAITING)
      return Promise.reject(unwritable(new Error('too much waits for it')))
    this.#waiting = [...this.#waiting, ...entries]
    // With a next one that is about to start, two would write the same and forget what neither has written.
    if (this.#writing === null && this.#next === null) return this.#start()
    // Whoever comes while a write is under way shares the next one, and what becomes of it.
    this.#next ??= Promise.resolve(this.#writing)
      .catch(() => {})
      .then(() => {
        this.#next = null
        return this.#start()
      })
    return this.#next
  }

  #start(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    this.#writing = this.#write().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const entries = this.#waiting
    // The file first: a database that has heard of a write, and no journal, would look like one that is gone.
    const file = await this.#fileOfToday().catch((cause: unknown) => {
      throw unwritable(cause)
    })
    const write = await this.#nextNumber()
    const lines = entries.map((entry) => `${JSON.stringify({ ...writable(entry), write })}\n`)
    try {
      await file.appendFile(lines.join(''))
      await file.datasync()
    } catch (cause) {
      // It may end in half a line, which must not swallow what is written next: that begins a file of its own.
      this.#file = null
      await file.close().catch(() => {})
      throw unwritable(cause)
    }
    this.#waiting = this.#waiting.slice(entries.length)
  }

  /** A database that counts backwards was set back under us: nothing is acknowledged any more until it is recovered. */
  async #nextNumber(): Promise<number> {
    if (!this.#isSetBack) {
      const write = await this.#numberWrite()
      this.#isSetBack = write <= this.#lastWrite
      this.#lastWrite = Math.max(this.#lastWrite, write)
      if (!this.#isSetBack) return write
    }
    throw unwritable(
      new Error('the database was set back under the service: stop it, and run `duktig recover`'),
    )
  }

  /** A file a day, so that old ones can go: those that no backup still worth restoring needs. */
  async #fileOfToday(): Promise<FileHandle> {
    const nowMs = this.#clock.nowMs()
    const day = Math.floor(nowMs / DAY_MS)
    if (this.#file !== null && day === this.#day) return this.#file
    const name = `${nowMs}-${this.#header.instanceId}-${process.pid}-${this.#files++}.jsonl`
    const path = join(this.#folder, name)
    const file = await open(path, 'a', 0o600)
    // What was removed for its age is missing, however long this process has lived.
    const openedAtMs = Math.max(this.#header.openedAtMs, nowMs - LIMITS.journalKeptMs)
    try {
      await file.appendFile(`${JSON.stringify({ ...this.#header, openedAtMs })}\n`)
      await file.datasync()
      await syncFolder(this.#folder)
    } catch (error) {
      await file.close()
      // Or each try on a full disk would leave one.
      await rm(path, { force: true }).catch(() => {})
      throw error
    }
    await this.#file?.close()
    this.#file = file
    this.#day = day
    await removeOld(this.#folder, nowMs - LIMITS.journalKeptMs)
    return file
  }

  async close(): Promise<void> {
    await this.append([]).catch(() => {})
    await this.#file?.close()
  }
}

/**
 * All journals of a folder. The last line of a file may have been cut short by a crash or a full disk: it was never
 * acknowledged, and is passed over. A line before it that cannot be read is damage: nobody knows what ended there, so what
 * its instance says of its completeness counts no more.
 */
export async function readJournals(folder: string): Promise<ReadJournal> {
  const headers: JournalHeader[] = []
  const entries: WrittenEntry[] = []
  const damaged = new Set<string>()
  const writes = new Map<string, number>()
  for (const name of await journalFiles(folder)) {
    const instanceId = FILE_NAME.exec(name)?.[1] ?? ''
    let last = writes.get(instanceId) ?? 0
    const text = await textOf(join(folder, name))
    if (text === null) continue
    const lines = text.split('\n')
    lines.forEach((line, i) => {
      const value = parsed(line)
      if (value === null) {
        if (i < lines.length - 1) damaged.add(instanceId)
      } else if ('journal' in value) headers.push(value)
      else {
        const { write = 0 } = value as Partial<WrittenEntry>
        last = Math.max(last, write)
        entries.push({ ...readable(value), instanceId, write })
      }
    })
    writes.set(instanceId, last)
  }
  return {
    headers: headers.filter(({ instanceId }) => !damaged.has(instanceId)),
    writes,
    entries: inOrder(entries),
  }
}

/** Those of one instance as it wrote them, whatever its clock said; between instances by their clocks. */
export function inOrder(entries: readonly WrittenEntry[]): readonly WrittenEntry[] {
  const latestMs = new Map<string, number>()
  return entries
    .toSorted((a, b) => a.write - b.write || a.atMs - b.atMs)
    .map((entry) => {
      const notBeforeMs = Math.max(entry.atMs, latestMs.get(entry.instanceId) ?? 0)
      latestMs.set(entry.instanceId, notBeforeMs)
      return { entry, notBeforeMs }
    })
    .sort((a, b) => a.notBeforeMs - b.notBeforeMs)
    .map(({ entry }) => entry)
}

/** Null where another process has just removed it for its age. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function journalFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Whether somebody has begun a journal in this folder. */
export async function hasJournal(folder: string): Promise<boolean> {
  return (await journalFiles(folder)).length > 0
}

/** By the store's clock, as all that is written in them: this machine's may be wrong. A file goes on for a day. */
async function removeOld(folder: string, beforeMs: number): Promise<void> {
  for (const name of await journalFiles(folder)) {
    const madeAtMs = Number.parseInt(name, 10)
    // Another process may be quicker.
    if (madeAtMs + DAY_MS < beforeMs) await rm(join(folder, name), { force: true })
  }
}

/** The name of a new file is only durable once its folder is. */
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

function parsed(line: string): JournalHeader | JournalEntry | null {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return null
    return isHeader(value) || isJournalEntry(value) ? value : null
  } catch {
    return null
  }
}

function isHeader(value: object): value is JournalHeader {
  const { journal, instanceId, openedAtMs } = value as Partial<JournalHeader>
  return journal === 1 && typeof instanceId === 'string' && typeof openedAtMs === 'number'
}

function writable(entry: JournalEntry): object {
  if (entry.kind !== 'key') return entry
  return { ...entry, key: { ...entry.key, sealed: Buffer.from(entry.key.sealed).toString('base64url') } }
}

function readable(entry: JournalEntry): JournalEntry {
  if (entry.kind !== 'key') return entry
  const sealed = Buffer.from(entry.key.sealed as unknown as string, 'base64url')
  return { ...entry, key: { ...entry.key, sealed } }
}
