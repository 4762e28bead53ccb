/** Reads the journals that `end-journal.ts` writes. */
import { open, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type JournalEntry, type WrittenEntry, isJournalEntry } from '../store/journal.ts'

/** Of a journal: when it was made, whose it is, and the number among the files of its process. */
const FILE_NAME = /^(\d+)-((.+)-\d+)-(\d+)\.jsonl$/
/** No header is longer. */
const HEADER_BYTES = 1024

/** The first line of a file: who wrote it about which database, and from when on it is complete with those of its process before. */
export interface JournalHeader {
  readonly journal: 1
  readonly instanceId: string
  readonly database: string
  readonly openedAtMs: number
}

export interface ReadJournal {
  readonly headers: readonly JournalHeader[]
  /** Everybody who wrote there, also those whose headers count no more, with the number of his last write. */
  readonly writes: ReadonlyMap<string, number>
  /** Oldest first. */
  readonly entries: readonly WrittenEntry[]
  /** Files that have a line that cannot be read, and is not their last. */
  readonly damaged: readonly string[]
}

interface JournalFile {
  readonly path: string
  readonly madeAtMs: number
  readonly instanceId: string
  /** Instance and process. */
  readonly process: string
  /** Among the files of the process, from 0 on. */
  readonly number: number
}

/**
 * All journals of these folders about one database. The last line of a file may have been cut short by a crash or a full disk: it
 * was never acknowledged, and is passed over. A line before it that cannot be read is damage: nobody knows what ended there, so
 * what its instance says of its completeness counts no more. Where a file of a process is missing that it had made before another,
 * nothing of the instance is complete before that other.
 */
export async function readJournals(folders: readonly string[], database: string): Promise<ReadJournal> {
  const headers: JournalHeader[] = []
  const entries: WrittenEntry[] = []
  const damaged = new Map<string, string>()
  const incompleteBeforeMs = new Map<string, number>()
  const writes = new Map<string, number>()
  const completeSinceMs = new Map<string, number>()
  const files = (await Promise.all(folders.map(journalFiles))).flat().sort(byAge)
  for (const { path, madeAtMs, instanceId, process, number } of files) {
    const text = await textOf(path)
    if (text === null) continue
    const values = text.split('\n').map(parsed)
    const header = values.find((value) => value !== null && 'journal' in value)
    if (header !== undefined && header.database !== database) continue
    if (header !== undefined) {
      // The number of a process is given to others once it has ended.
      const name = `${process}-${header.openedAtMs}`
      const beforeMs = number === 0 ? header.openedAtMs : completeSinceMs.get(`${name}-${number - 1}`)
      const openedAtMs = beforeMs ?? madeAtMs
      if (beforeMs === undefined) incompleteBeforeMs.set(instanceId, madeAtMs)
      completeSinceMs.set(`${name}-${number}`, openedAtMs)
      headers.push({ ...header, openedAtMs })
    }
    if (values.slice(0, -1).includes(null)) damaged.set(path, instanceId)
    let last = writes.get(instanceId) ?? 0
    for (const value of values) {
      if (value === null || 'journal' in value) continue
      const { write = 0 } = value as Partial<WrittenEntry>
      last = Math.max(last, write)
      entries.push({ ...readable(value), instanceId, write })
    }
    writes.set(instanceId, last)
  }
  const withDamage = new Set(damaged.values())
  return {
    headers: headers.filter(
      ({ instanceId, openedAtMs }) =>
        !withDamage.has(instanceId) && openedAtMs >= (incompleteBeforeMs.get(instanceId) ?? 0),
    ),
    writes,
    entries: inOrder(entries),
    damaged: [...damaged.keys()],
  }
}

/** Those of one instance as it wrote them, whatever its clock said; between instances by their clocks. */
function inOrder(entries: readonly WrittenEntry[]): readonly WrittenEntry[] {
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

/** Whether somebody has begun a journal in this folder, about this database if it is named. */
export async function hasJournal(folder: string, database?: string): Promise<boolean> {
  for (const { path } of await journalFiles(folder)) {
    if (database === undefined) return true
    const header = await headerOf(path)
    // Without one it is read as well.
    if (header === null || header.database === database) return true
  }
  return false
}

/** In no order. */
export async function journalFiles(folder: string): Promise<readonly JournalFile[]> {
  const names = (await unlessGone(readdir(folder))) ?? []
  return names.flatMap((name) => {
    const [, madeAt, process, instanceId, number] = FILE_NAME.exec(name) ?? []
    if (process === undefined || instanceId === undefined) return []
    const path = join(folder, name)
    return [{ path, madeAtMs: Number(madeAt), instanceId, process, number: Number(number) }]
  })
}

/** Those of one process in the order in which it made them. */
function byAge(a: JournalFile, b: JournalFile): number {
  return a.madeAtMs - b.madeAtMs || a.number - b.number
}

async function headerOf(path: string): Promise<JournalHeader | null> {
  const file = await unlessGone(open(path, 'r'))
  if (file === null) return null
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(HEADER_BYTES), position: 0 })
    const value = parsed(buffer.toString('utf8', 0, bytesRead).split('\n')[0] ?? '')
    return value !== null && 'journal' in value ? value : null
  } finally {
    await file.close()
  }
}

/** Null where another process has just removed it for its age. */
function textOf(path: string): Promise<string | null> {
  return unlessGone(readFile(path, 'utf8'))
}

async function unlessGone<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
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
  const { journal, instanceId, database, openedAtMs } = value as Partial<JournalHeader>
  return [journal, typeof instanceId, typeof database, typeof openedAtMs].join() === '1,string,string,number'
}

function readable(entry: JournalEntry): JournalEntry {
  if (entry.kind !== 'key') return entry
  const sealed = Buffer.from(entry.key.sealed as unknown as string, 'base64url')
  return { ...entry, key: { ...entry.key, sealed } }
}
