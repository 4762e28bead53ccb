/** The lines of files that may be too large for memory, and for a string of Node's: piece by piece. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

const NEWLINE = 0x0a
const PIECE_BYTES = 256 * 1024
/** What is looked for at the end of a file is mostly in its last lines. */
const LAST_PIECE_BYTES = 16 * 1024
/**
 * The longest entry names the sessions of one account: some kilobytes. What is longer is no line of ours, and is given out as an
 * empty one, which cannot be read either.
 */
const LINE_BYTES = 16 * 1024 * 1024

/**
 * From the first to the last. The last one is what stands behind the last line feed: mostly nothing. Waits for the disk without
 * letting anybody else have a turn, since SQLite's transactions do not wait: for commands alone.
 */
export function* linesOf(path: string): Generator<string> {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES)
    const cut = new CutLine()
    for (;;) {
      const piece = buffer.subarray(0, readSync(descriptor, buffer, 0, PIECE_BYTES, null))
      if (piece.length === 0) break
      const first = piece.indexOf(NEWLINE)
      if (first === -1) {
        cut.push(piece)
        continue
      }
      const last = piece.lastIndexOf(NEWLINE)
      cut.push(piece.subarray(0, first))
      yield cut.take()
      yield* linesBetween(piece, first, last)
      cut.push(piece.subarray(last + 1))
    }
    yield cut.take()
  } finally {
    closeSync(descriptor)
  }
}

/** From the last to the first, some at a time. What is appended meanwhile is not read. */
export async function* linesBackwards(file: FileHandle): AsyncGenerator<readonly string[]> {
  const cut = new CutLine()
  let position = (await file.stat()).size
  for (let bytes = LAST_PIECE_BYTES; position > 0; bytes = PIECE_BYTES) {
    const piece = await pieceBefore(file, position, bytes)
    position -= piece.length
    const first = piece.indexOf(NEWLINE)
    if (first === -1) {
      cut.unshift(piece)
      continue
    }
    const last = piece.lastIndexOf(NEWLINE)
    cut.unshift(piece.subarray(last + 1))
    const lines = [...linesBetween(piece, first, last), cut.take()]
    cut.unshift(piece.subarray(0, first))
    yield lines.reverse()
  }
  yield [cut.take()]
}

async function pieceBefore(file: FileHandle, end: number, bytes: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(Math.min(bytes, end))
  const position = end - piece.length
  for (let filled = 0; filled < piece.length; ) {
    const { bytesRead } = await file.read(piece, filled, piece.length - filled, position + filled)
    if (bytesRead === 0) throw new Error('a journal became shorter while it was read')
    filled += bytesRead
  }
  return piece
}

/** Those between two line feeds; none where both are one. */
function linesBetween(piece: Buffer, first: number, last: number): readonly string[] {
  return first === last ? [] : piece.toString('utf8', first + 1, last).split('\n')
}

/** A line that goes on in the next piece; its bytes are put together before they are text, since a character may be cut as well. */
class CutLine {
  #parts: Buffer[] = []
  #bytes = 0

  push(part: Buffer): void {
    if (this.#takes(part)) this.#parts.push(Buffer.from(part))
  }

  unshift(part: Buffer): void {
    if (this.#takes(part)) this.#parts.unshift(Buffer.from(part))
  }

  #takes(part: Buffer): boolean {
    this.#bytes += part.length
    if (this.#bytes > LINE_BYTES) this.#parts = []
    return this.#bytes <= LINE_BYTES && part.length > 0
  }

  take(): string {
    const line = Buffer.concat(this.#parts).toString('utf8')
    this.#parts = []
    this.#bytes = 0
    return line
  }
}
