/**
 * Reads whole journals of `end-journal.ts`, for a recovery and for `doctor`; a start reads their ends
 * (`journal-tails.ts`).
 */
import type { JournalEntry, SessionEnds, WrittenEntry } from '../store/journal.ts'
import {
  type JournalFile,
  type JournalHeader,
  byAge,
  countedOf,
  journalFiles,
  parsed,
  writeOf,
} from './journal-files.ts'
import { linesOf } from './journal-lines.ts'

export interface ReadJournal {
  /** The headers whose statement of completeness can be trusted. */
  readonly headers: readonly JournalHeader[]
  /** All instances that wrote there, also without such headers, with the number of their last write. */
  readonly writes: ReadonlyMap<string, number>
  /** The oldest file first; the order does not matter. */
  readonly sessionEnds: SessionEnds
  /** All other entries, oldest first. */
  readonly otherEntries: readonly WrittenEntry[]
  /** Files with an unreadable line before their last. */
  readonly damaged: readonly string[]
}

/** The content of one file. */
interface Scanned {
  readonly header: JournalHeader | null
  readonly isDamaged: boolean
  readonly lastWrite: number
  readonly sessionEnds: number
  readonly otherEntries: readonly WrittenEntry[]
}

/**
 * Reads all journals about one database in these folders. A crash or a full disk may have cut the last line of a file
 * short: that line was never acknowledged, and is skipped. An unreadable line before the last is damage: nobody knows
 * what ended there, so all headers of its instance are left out. If a process has a file but not the one before, its
 * instance counts as complete only from that file on.
 */
export async function readJournals(folders: readonly string[], database: string): Promise<ReadJournal> {
  const headers: JournalHeader[] = []
  const otherEntries: WrittenEntry[] = []
  const damaged = new Map<string, string>()
  const incompleteBeforeMs = new Map<string, number>()
  const writes = new Map<string, number>()
  const completeSinceMs = new Map<string, number>()
  const paths: string[] = []
  let sessionEnds = 0
  const files = (await Promise.all(folders.map(journalFiles))).flat().sort(byAge)
  for (const file of files) {
    const found = scanned(file, database)
    if (found === null) continue
    const { path, madeAtMs, instanceId, process, number } = file
    const { header } = found
    if (header !== null) {
      // The system reuses the number of an ended process.
      const name = `${process}-${header.openedAtMs}`
      const beforeMs = number === 0 ? header.openedAtMs : completeSinceMs.get(`${name}-${number - 1}`)
      const openedAtMs = beforeMs ?? madeAtMs
      if (beforeMs === undefined) incompleteBeforeMs.set(instanceId, madeAtMs)
      completeSinceMs.set(`${name}-${number}`, openedAtMs)
      headers.push({ ...header, openedAtMs })
    }
    if (found.isDamaged) damaged.set(path, instanceId)
    writes.set(instanceId, Math.max(writes.get(instanceId) ?? 0, found.lastWrite))
    for (const entry of found.otherEntries) otherEntries.push(entry)
    sessionEnds += found.sessionEnds
    paths.push(path)
  }
  const withDamage = new Set(damaged.values())
  return {
    headers: headers.filter(
      ({ instanceId, openedAtMs }) =>
        !withDamage.has(instanceId) && openedAtMs >= (incompleteBeforeMs.get(instanceId) ?? 0),
    ),
    writes,
    sessionEnds: sessionEndsIn(paths, sessionEnds),
    otherEntries: inOrder(otherEntries),
    damaged: [...damaged.keys()],
  }
}

/** Null for a file about another database, or just removed by another process for its age. */
function scanned(file: JournalFile, database: string): Scanned | null {
  try {
    return scan(file, database)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function scan({ path, instanceId }: JournalFile, database: string): Scanned | null {
  let header: JournalHeader | null = null
  let isDamaged = false
  let lastWrite = 0
  let sessionEnds = 0
  const otherEntries: WrittenEntry[] = []
  let isUnreadable = false
  for (const line of linesOf(path)) {
    // `isUnreadable` is still that of the line before, which was not the last one.
    isDamaged ||= isUnreadable
    const value = parsed(line)
    isUnreadable = value === null
    if (value === null) continue
    if ('journal' in value) {
      header ??= value
      if (header.database !== database) return null
      continue
    }
    lastWrite = Math.max(lastWrite, writeOf(value))
    if (value.kind === 'session') sessionEnds += 1
    else otherEntries.push({ ...readable(value), instanceId, write: countedOf(value) })
  }
  return { header, isDamaged, lastWrite, sessionEnds, otherEntries }
}

/** There may be millions: each iteration reads the files anew and never holds all in memory. */
function sessionEndsIn(paths: readonly string[], length: number): SessionEnds {
  return {
    length,
    *[Symbol.iterator]() {
      let left = length
      for (const path of paths) {
        for (const line of linesOf(path)) {
          const value = parsed(line)
          if (value === null || 'journal' in value || value.kind !== 'session') continue
          left -= 1
          yield value
        }
      }
      if (left > 0) throw new Error('a journal lost entries while it was read: put it back, and begin anew')
    },
  }
}

/**
 * Orders entries of one instance by its writes, whatever its clock said, and those of different ones by their clocks.
 */
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

function readable(entry: JournalEntry): JournalEntry {
  if (entry.kind !== 'key') return entry
  const sealed = Buffer.from(entry.key.sealed as unknown as string, 'base64url')
  return { ...entry, key: { ...entry.key, sealed } }
}
