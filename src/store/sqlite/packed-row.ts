/**
 * One row as bytes: for each column a byte for the kind of its value, then the value. Packs only what rows of sessions
 * and accounts hold: null, text and integers from 0 to 2^48 - 1.
 */

const NULL = 0
/** Two bytes of length, then one byte for each character, all of them below 256. */
const NARROW_TEXT = 1
/** Two bytes of length in characters, then two bytes for each character. */
const WIDE_TEXT = 2
/** Six bytes, enough for dates in milliseconds. */
const INTEGER = 3
/** Kinds from this one on are the number itself, plus `SMALL_INTEGER`; no value follows. */
const SMALL_INTEGER = 4
const SMALL_INTEGERS = 256 - SMALL_INTEGER
const INTEGER_BYTES = 6
const LENGTH_BYTES = 2
const MOST_CHARACTERS = 2 ** 16 - 1

/** Writes `row` at `at` and returns the offset of its end; -1 if a value cannot be packed or does not fit. */
export function writeRow(bytes: Buffer, at: number, row: readonly unknown[]): number {
  let end = at
  for (const value of row) {
    if (value === null && end < bytes.length) bytes[end++] = NULL
    else if (typeof value === 'number') end = writeInteger(bytes, end, value)
    else if (typeof value === 'string') end = writeText(bytes, end, value)
    else return -1
    if (end < 0) return -1
  }
  return end
}

/** The first `columns` values of the row at `at`. */
export function readRow(bytes: Buffer, at: number, columns: number): unknown[] {
  const row: unknown[] = []
  let next = at
  while (row.length < columns) {
    const kind = bytes[next] as number
    next++
    if (kind >= SMALL_INTEGER) row.push(kind - SMALL_INTEGER)
    else if (kind === NULL) row.push(null)
    else if (kind === INTEGER) {
      row.push(readInteger(bytes, next))
      next += INTEGER_BYTES
    } else {
      const length = (bytes[next] as number) + (bytes[next + 1] as number) * 256
      const start = next + LENGTH_BYTES
      next = start + (kind === NARROW_TEXT ? length : 2 * length)
      row.push(bytes.toString(kind === NARROW_TEXT ? 'latin1' : 'utf16le', start, next))
    }
  }
  return row
}

function writeInteger(bytes: Buffer, at: number, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * INTEGER_BYTES)) return -1
  if (at + 1 + INTEGER_BYTES > bytes.length) return -1
  if (value < SMALL_INTEGERS) {
    bytes[at] = SMALL_INTEGER + value
    return at + 1
  }
  bytes[at] = INTEGER
  const low = value >>> 0
  const high = (value - low) / 2 ** 32
  bytes[at + 1] = low
  bytes[at + 2] = low >>> 8
  bytes[at + 3] = low >>> 16
  bytes[at + 4] = low >>> 24
  bytes[at + 5] = high
  bytes[at + 6] = high >>> 8
  return at + 1 + INTEGER_BYTES
}

function readInteger(bytes: Buffer, at: number): number {
  const low =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  return (low >>> 0) + ((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8)) * 2 ** 32
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const { length } = text
  const start = at + 1 + LENGTH_BYTES
  if (length > MOST_CHARACTERS || start + 2 * length > bytes.length) return -1
  bytes[at + 1] = length
  bytes[at + 2] = length >>> 8
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 255) {
      bytes[at] = WIDE_TEXT
      return start + bytes.write(text, start, 'utf16le')
    }
    bytes[start + i] = code
  }
  bytes[at] = NARROW_TEXT
  return start + length
}
