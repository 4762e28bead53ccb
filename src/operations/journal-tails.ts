/** Reads the ends of journal files: all that a start or a command needs, at next to no cost. */
import { type FileHandle, open } from 'node:fs/promises'
import type { JournalEntry } from '../store/journal.ts'
import { type KnownEnds, WRITTEN_TOGETHER_MS } from '../store/missing-ends.ts'
import { type JournalFile, headerOf, journalFiles, parsed, unlessGone, writeOf } from './journal-files.ts'
import { linesBackwards } from './journal-lines.ts'

/** A file that is about the database, or has no readable header. */
interface JournalTail extends JournalFile {
  /** Since when the file records ends. Earlier files of its process may have been removed for their age. */
  readonly beginsAtMs: number
  /** The number of the last write in the file; 0 if there is none. */
  readonly lastWrite: number
}

export interface JournalTails {
  readonly files: readonly JournalTail[]
  /** Every instance that wrote there, with the number of its last write. */
  readonly writes: ReadonlyMap<string, number>
}

/** Which instances wrote into the journals of a folder about one database, and how often. Skips unreadable lines. */
export async function readTails(folder: string, database: string): Promise<JournalTails> {
  const files: JournalTail[] = []
  const writes = new Map<string, number>()
  for (const file of await journalFiles(folder)) {
    const tail = await withFile(file, (handle) => tailOf(file, handle, database))
    if (tail === null) continue
    files.push(tail)
    writes.set(file.instanceId, Math.max(writes.get(file.instanceId) ?? 0, tail.lastWrite))
  }
  return { files, writes }
}

/** Null for a file about another database. The numbers of writes rise: the greatest is at the end. */
async function tailOf(file: JournalFile, handle: FileHandle, database: string): Promise<JournalTail | null> {
  let header = await headerOf(handle)
  // For a damaged first line any other header serves; only then is the whole file read.
  const isHeaded = header !== null
  if (header !== null && header.database !== database) return null
  let lastWrite: number | null = null
  for await (const lines of linesBackwards(handle)) {
    for (const line of lines) {
      const value = parsed(line)
      if (value === null) continue
      if (!('journal' in value)) lastWrite = Math.max(lastWrite ?? 0, writeOf(value))
      else if (!isHeaded) header = value
    }
    // Not before the whole piece is read: processes with the same number and time share a file, so the greatest write
    // may not be in its last line.
    if (isHeaded && lastWrite !== null) break
  }
  if (header !== null && header.database !== database) return null
  const beginsAtMs = Math.min(
    file.madeAtMs,
    (file.number === 0 ? header?.openedAtMs : undefined) ?? file.madeAtMs,
  )
  return { ...file, beginsAtMs, lastWrite: lastWrite ?? 0 }
}

/**
 * Since when the database may have ends that the journal lacks, and which later ends the journal has. Reads only the
 * last lines, back to this instance's last look but one. An instance without a look relies on those of other instances
 * in the folder.
 */
export async function readKnownEnds(
  { files }: JournalTails,
  instanceId: string,
  nowMs: number,
): Promise<KnownEnds> {
  const sessionIds = new Set<string>()
  const of = (id: string) =>
    readBack(
      files.filter((file) => file.instanceId === id),
      nowMs,
      sessionIds,
    )
  const ours = await of(instanceId)
  if (ours.completeAtMs !== null) return { sinceMs: ours.completeAtMs, sessionIds }
  const all = [ours]
  for (const other of new Set(files.map((file) => file.instanceId)))
    if (other !== instanceId) all.push(await of(other))
  const completeAtMs = all.flatMap((one) => one.completeAtMs ?? [])
  if (completeAtMs.length > 0) return { sinceMs: Math.max(...completeAtMs), sessionIds }
  return {
    sinceMs: files.length === 0 ? null : Math.min(...all.map(({ begunAtMs }) => begunAtMs)),
    sessionIds,
  }
}

interface ReadBack {
  /** When the instance last looked for missing ends; null if never. */
  readonly completeAtMs: number | null
  readonly begunAtMs: number
}

/** A look for missing ends, as a `complete` entry records it. */
interface Look {
  readonly write: number
  readonly atMs: number
}

/**
 * Reads one instance's files backwards, by its writes rather than by clocks, and adds ended sessions to `sessionIds`.
 */
async function readBack(
  files: readonly JournalTail[],
  nowMs: number,
  sessionIds: Set<string>,
): Promise<ReadBack> {
  const looks: Look[] = []
  let backToWrite = 0
  let begunAtMs = Number.POSITIVE_INFINITY
  const read = async (handle: FileHandle) => {
    for await (const lines of linesBackwards(handle)) {
      for (const line of lines) {
        const entry = parsed(line)
        if (entry === null || 'journal' in entry) continue
        const write = writeOf(entry)
        if (write < backToWrite) return
        begunAtMs = Math.min(begunAtMs, entry.atMs)
        for (const sessionId of endedBy(entry)) sessionIds.add(sessionId)
        // A look dated in the future, by a clock that was ahead, says nothing about ends until then.
        if (entry.kind !== 'complete' || entry.atMs > nowMs) continue
        looks.push({ write, atMs: entry.atMs })
        backToWrite = lastButOne(looks)
      }
    }
  }
  for (const file of files.toSorted((a, b) => b.lastWrite - a.lastWrite)) {
    if (file.lastWrite < backToWrite) break
    begunAtMs = Math.min(begunAtMs, file.beginsAtMs)
    await withFile(file, read)
  }
  return { completeAtMs: lastOf(looks)?.atMs ?? null, begunAtMs }
}

/** The write of the latest look at least `WRITTEN_TOGETHER_MS` older than the last: reading goes back to it. */
function lastButOne(looks: readonly Look[]): number {
  const beforeMs = (lastOf(looks)?.atMs ?? 0) - WRITTEN_TOGETHER_MS
  return lastOf(looks.filter(({ atMs }) => atMs <= beforeMs))?.write ?? 0
}

function lastOf(looks: readonly Look[]): Look | undefined {
  return looks.toSorted((a, b) => a.write - b.write).at(-1)
}

function endedBy(entry: JournalEntry): readonly string[] {
  if (entry.kind === 'session') return [entry.sessionId]
  return entry.kind === 'account-sessions' ? entry.sessionIds : []
}

/** Null if another process has just removed the file for its age. */
async function withFile<T>(
  { path }: JournalFile,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T | null> {
  const handle = await unlessGone(open(path, 'r'))
  if (handle === null) return null
  try {
    return await work(handle)
  } finally {
    await handle.close()
  }
}
