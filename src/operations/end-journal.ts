/** The journal as files in the data folder: one for each process, JSON lines, synced before anything is acknowledged. */
import { type FileHandle, mkdir, open, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../settings/limits.ts'
import { type Journal, type JournalEntry, isJournalEntry } from '../store/journal.ts'
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
  /** Everybody who wrote there, also those whose headers count no more. */
  readonly instanceIds: readonly string[]
  /** Oldest first. */
  readonly entries: readonly JournalEntry[]
}

export interface JournalOptions {
  readonly folder: string
  readonly instanceId: string
  readonly clock: Pick<Clock, 'nowMs'>
  /** A service's journal says from when on it is complete, also while nothing ends. */
  readonly startAtOnce: boolean
  /** Called with the latest time of the entries that are about to be written; nothing is written when it fails. */
  readonly beforeWrite?: (latestAtMs: number) => Promise<void>
}

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
  readonly #beforeWrite: (latestAtMs: number) => Promise<void>
  readonly #header: JournalHeader
  #file: FileHandle | null = null
  #day = 0
  #files = 0
  #lines = ''
  #latestAtMs = 0
  #writing: Promise<void> | null = null

  constructor({ folder, instanceId, clock, beforeWrite = async () => {} }: JournalOptions) {
    this.#folder = folder
    this.#clock = clock
    this.#beforeWrite = beforeWrite
    this.#header = { journal: 1, instanceId, openedAtMs: clock.nowMs() }
  }

  start(): Promise<void> {
    return this.#fileOfToday().then(() => {})
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) {
      this.#lines += `${JSON.stringify(writable(entry))}\n`
      this.#latestAtMs = Math.max(this.#latestAtMs, entry.atMs)
    }
    // Whoever comes while a write is under way shares the next one.
    while (this.#writing !== null) await this.#writing.catch(() => {})
    if (this.#lines === '') return
    this.#writing = this.#write().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const lines = this.#lines
    await this.#beforeWrite(this.#latestAtMs)
    try {
      const file = await this.#fileOfToday()
      await file.appendFile(lines)
      await file.datasync()
    } catch (cause) {
      // It may end in half a line, which must not swallow what is written next: that begins a file of its own.
      const file = this.#file
      this.#file = null
      await file?.close().catch(() => {})
      throw new StoreUnavailable(`the journal cannot be written: ${(cause as Error).message}`, { cause })
    }
    this.#lines = this.#lines.slice(lines.length)
  }

  /** A file a day, so that old ones can go: those that no backup still worth restoring needs. */
  async #fileOfToday(): Promise<FileHandle> {
    const nowMs = this.#clock.nowMs()
    const day = Math.floor(nowMs / DAY_MS)
    if (this.#file !== null && day === this.#day) return this.#file
    const name = `${nowMs}-${this.#header.instanceId}-${process.pid}-${this.#files++}.jsonl`
    const file = await open(join(this.#folder, name), 'a', 0o600)
    // What was removed for its age is missing, however long this process has lived.
    const openedAtMs = Math.max(this.#header.openedAtMs, nowMs - LIMITS.journalKeptMs)
    try {
      await file.appendFile(`${JSON.stringify({ ...this.#header, openedAtMs })}\n`)
      await file.datasync()
      await syncFolder(this.#folder)
    } catch (error) {
      await file.close()
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
  const entries: JournalEntry[] = []
  const damaged = new Set<string>()
  const instanceIds = new Set<string>()
  for (const name of await journalFiles(folder)) {
    const instanceId = FILE_NAME.exec(name)?.[1] ?? ''
    instanceIds.add(instanceId)
    const text = await readFile(join(folder, name), 'utf8')
    const lines = text.split('\n')
    lines.forEach((line, i) => {
      const value = parsed(line)
      if (value === null) {
        if (i < lines.length - 1) damaged.add(instanceId)
      } else if ('journal' in value) headers.push(value)
      else entries.push(readable(value))
    })
  }
  return {
    headers: headers.filter(({ instanceId }) => !damaged.has(instanceId)),
    instanceIds: [...instanceIds],
    entries: entries.sort((a, b) => a.atMs - b.atMs),
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
