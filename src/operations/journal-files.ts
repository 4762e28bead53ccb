/** Finds the files of a journal and parses their lines. */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DAY_MS, LIMITS } from '../settings/limits.ts'
import { type JournalEntry, isJournalEntry } from '../store/journal.ts'

/** A file name: when the file was made, its instance and process, and its number among the files of the process. */
const FILE_NAME = /^(\d+)-((.+)-\d+)-(\d+)\.jsonl$/
/** The most bytes of a header. */
const HEADER_BYTES = 1024

/** The first line of a file: its instance and database, and since when the files of its process so far are complete. */
export interface JournalHeader {
  readonly journal: 1
  readonly instanceId: string
  readonly database: string
  readonly openedAtMs: number
}

export interface JournalFile {
  readonly path: string
  readonly madeAtMs: number
  readonly instanceId: string
  /** Instance and process number. */
  readonly process: string
  /** The number among the files of the process, from 0 on. */
  readonly number: number
}

/** Whether the folder has a journal, about `database` if that is given. */
export async function hasJournal(folder: string, database?: string): Promise<boolean> {
  for (const { path } of await journalFiles(folder)) {
    if (database === undefined) return true
    const file = await unlessGone(open(path, 'r'))
    if (file === null) continue
    try {
      const header = await headerOf(file)
      // `readJournals` also reads a file without a readable header.
      if (header === null || header.database === database) return true
    } finally {
      await file.close()
    }
  }
  return false
}

/** The journal files in a folder, in no order. */
export async function journalFiles(folder: string): Promise<readonly JournalFile[]> {
  const names = (await unlessGone(readdir(folder))) ?? []
  return names.flatMap((name) => {
    const [, madeAt, process, instanceId, number] = FILE_NAME.exec(name) ?? []
    if (process === undefined || instanceId === undefined) return []
    const path = join(folder, name)
    return [{ path, madeAtMs: Number(madeAt), instanceId, process, number: Number(number) }]
  })
}

/** Sorts files by age; those of one process in the order in which it made them. */
export function byAge(a: JournalFile, b: JournalFile): number {
  return a.madeAtMs - b.madeAtMs || a.number - b.number
}

/** Whether no backup needs a file any more at `nowMs`, a time of the store's clock as the names of the files have. */
export function isOld({ madeAtMs }: JournalFile, nowMs: number): boolean {
  // A file spans a day.
  return madeAtMs + DAY_MS < nowMs - LIMITS.journalKeptMs
}

/**
 * The files that should have been removed for their age and are still there. Old files are removed when a new one is
 * begun: while the service is stopped, none is overdue. Files dated in the future, by a clock that was ahead, do not
 * count as begun.
 */
export async function overdueFiles(folder: string, nowMs: number): Promise<readonly string[]> {
  const files = await journalFiles(folder)
  const removedAtMs = Math.max(...files.map(({ madeAtMs }) => madeAtMs).filter((atMs) => atMs <= nowMs))
  return files.filter((file) => isOld(file, removedAtMs)).map(({ path }) => path)
}

/** The header in the first line; null if unreadable. */
export async function headerOf(file: FileHandle): Promise<JournalHeader | null> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(HEADER_BYTES), position: 0 })
  const value = parsed(buffer.toString('utf8', 0, bytesRead).split('\n')[0] ?? '')
  return value !== null && 'journal' in value ? value : null
}

/** Null if another process has just removed the file for its age. */
export async function unlessGone<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Null for an unreadable line. */
export function parsed(line: string): JournalHeader | JournalEntry | null {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return null
    return isHeader(value) || isJournalEntry(value) ? value : null
  } catch {
    return null
  }
}

/** The number of the write that an entry is part of; 0 for entries from before writes were numbered. */
export function writeOf(entry: JournalEntry): number {
  return (entry as Numbered).write ?? 0
}

/** The number of the first write that was tried with an entry. The database counted it after the change itself. */
export function countedOf(entry: JournalEntry): number {
  return (entry as Numbered).counted ?? writeOf(entry)
}

type Numbered = JournalEntry & { readonly write?: number; readonly counted?: number }

function isHeader(value: object): value is JournalHeader {
  const { journal, instanceId, database, openedAtMs } = value as Partial<JournalHeader>
  return [journal, typeof instanceId, typeof database, typeof openedAtMs].join() === '1,string,string,number'
}
