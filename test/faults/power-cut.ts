/** Simulates a power cut on files written under `unsynced.c`: what was not synced may be lost, wholly or in part. */
import { ftruncateSync, globSync, openSync, readFileSync, closeSync, statSync, writeSync } from 'node:fs'

const WRITE = 1
const SYNC = 2
const TRUNCATE = 3
const HEADER_BYTES = 48

interface Change {
  readonly type: number
  readonly offset: number
  readonly sizeBefore: number
  readonly length: number
  readonly before: Buffer
  readonly after: Buffer
}

/**
 * Takes back every unsynced write below `folder`, then repeats, in order, those for which `survives` returns true.
 * Returns how many writes were lost.
 */
export function cutPower(folder: string, log: string, survives: () => boolean): number {
  const unsynced = readUnsynced(log)
  let lost = 0
  for (const path of globSync(`${folder}/**/*`)) {
    const facts = statSync(path)
    const changes = unsynced.get(facts.ino) ?? []
    if (!facts.isFile() || changes.length === 0) continue
    const descriptor = openSync(path, 'r+')
    for (const change of changes.toReversed()) takeBack(descriptor, change)
    for (const change of changes) {
      if (survives()) redo(descriptor, change)
      else lost++
    }
    closeSync(descriptor)
  }
  return lost
}

/** The changes of each file since its last sync, by inode. */
function readUnsynced(log: string): Map<number, Change[]> {
  const bytes = readFileSync(log)
  const changes = new Map<number, Change[]>()
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const field = (i: number) => Number(bytes.readBigUInt64LE(at + i * 8))
    const [type, inode, offset, length, lengthBefore, sizeBefore] = [0, 1, 2, 3, 4, 5].map(field) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    const from = at + HEADER_BYTES
    const lengthAfter = type === WRITE ? length : 0
    at = from + lengthBefore + lengthAfter
    // The kill may have cut the last record short; the write that it announces has then not begun.
    if (at > bytes.length) break
    if (type === SYNC) {
      changes.delete(inode)
      continue
    }
    const before = bytes.subarray(from, from + lengthBefore)
    const after = bytes.subarray(from + lengthBefore, at)
    const list = changes.get(inode) ?? []
    list.push({ type, offset, sizeBefore, length, before, after })
    changes.set(inode, list)
  }
  return changes
}

function takeBack(descriptor: number, { type, offset, sizeBefore, before }: Change): void {
  if (type === WRITE && before.length > 0) writeSync(descriptor, before, 0, before.length, offset)
  ftruncateSync(descriptor, sizeBefore)
}

function redo(descriptor: number, { type, offset, length, after }: Change): void {
  if (type === TRUNCATE) ftruncateSync(descriptor, length)
  else writeSync(descriptor, after, 0, after.length, offset)
}
