/** Reads lines piece by piece: a file may be larger than memory or than Node's longest string. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

const NEWLINE = 0x0a
const PIECE_BYTES = 256 * 1024
/** Smaller, since a reader from the end mostly needs only the last lines. */
const LAST_PIECE_BYTES = 16 * 1024
/**
 * The longest entry names the sessions of one account, in some kilobytes. A longer line than this is no entry, and is
 * returned as an empty line, which is just as unreadable.
 */
const LINE_BYTES = 16 * 1024 * 1024

/**
 * The lines from first to last; the last one is what follows the last line feed, mostly nothing. Reads synchronously,
 * as SQLite's transactions require, and so blocks the event loop: for commands only.
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

/** The lines from last to first, some at a time. Lines appended meanwhile are not read. */
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

/** The lines between two line feeds; none if both are the same. */
function linesBetween(piece: Buffer, first: number, last: number): readonly string[] {
  return first === last ? [] : piece.toString('utf8', first + 1, last).split('\n')
}

/** A line cut between pieces. Its bytes are joined before decoding, since the cut may be inside a character. */
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
