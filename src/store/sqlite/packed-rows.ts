import { readRow, writeRow } from './packed-row.ts'

/** Memory is taken in pieces of this size, so that more of it never means copying what there is. */
const PIECE_BYTES = 2 ** 20
const LEAST_SLOTS = 1024
/** Places are counted in steps of this many bytes, from 1: in 32 bits, with 0 for none. */
const STEP_BYTES = 8
const PIECE_STEPS = PIECE_BYTES / STEP_BYTES
/** A place begins with its number of steps (two bytes), the length of the key, whether it has a row, and the key; then the row. */
const KEY_LENGTH_AT = 2
const HAS_ROW_AT = 3
const KEY_AT = 4
/** A row that takes more is not kept. */
const MOST_ROW_BYTES = 4096
export const MOST_KEY_CHARACTERS = 64

/** Where a row is put together, to know how long it is. */
const DRAFT = Buffer.alloc(KEY_AT + MOST_KEY_CHARACTERS + MOST_ROW_BYTES)

/**
 * Rows by a key of ASCII, kept as bytes: of a million objects the garbage collector looks at each again and again, and all
 * requests wait for it meanwhile. `hash` is that of the key.
 */
export class PackedRows {
  #pieces: Buffer[] = []
  /** Bytes taken of the last piece. */
  #taken = PIECE_BYTES
  /** Open addressing with linear probing, two numbers to a slot: hash and place. At most half full. */
  #slots: Uint32Array
  #keys = 0

  /** With room for so many keys at once. */
  constructor(expectedKeys = 0) {
    let slots = LEAST_SLOTS
    while (slots < 2 * expectedKeys) slots *= 2
    this.#slots = new Uint32Array(2 * slots)
  }

  get keys(): number {
    return this.#keys
  }

  /** Of the memory that it holds. */
  get bytes(): number {
    return this.#pieces.length * PIECE_BYTES + this.#slots.byteLength
  }

  /** The first `columns` of a row. */
  get(key: string, hash: number, columns: number): unknown[] | undefined {
    const place = this.#placeIn(this.#slotOf(key, hash))
    if (place === 0) return undefined
    const bytes = this.#pieceOf(place)
    const at = offsetOf(place)
    return bytes[at + HAS_ROW_AT] === 0 ? undefined : readRow(bytes, at + KEY_AT + key.length, columns)
  }

  /**
   * One that cannot be kept leaves none. A key has `MOST_KEY_CHARACTERS` at most.
   * @throws {RangeError} when there is no memory; the key may then have the row it had before
   */
  put(key: string, hash: number, row: readonly unknown[]): void {
    const end = draft(key, row)
    if (end < 0) return this.delete(key, hash)
    this.#makeRoom()
    const slot = this.#slotOf(key, hash)
    const before = this.#placeIn(slot)
    const steps = stepsAt(DRAFT, 0)
    const place = before !== 0 && this.#stepsOf(before) === steps ? before : this.#newPlace(steps)
    const bytes = this.#pieceOf(place)
    const at = offsetOf(place)
    for (let i = 0; i < end; i++) bytes[at + i] = DRAFT[i] as number
    this.#slots[2 * slot] = hash
    this.#slots[2 * slot + 1] = place
    if (before === 0) this.#keys += 1
  }

  /** Its place remains, for the next row of the key. */
  delete(key: string, hash: number): void {
    const place = this.#placeIn(this.#slotOf(key, hash))
    if (place !== 0) this.#pieceOf(place)[offsetOf(place) + HAS_ROW_AT] = 0
  }

  /** The memory, at once: the garbage collector would not come in quiet times. Nothing can be done with it afterwards. */
  giveBack(): void {
    this.clear()
    ;(this.#slots.buffer as ArrayBuffer).transfer(0)
  }

  /** All but the slots, which the next rows need. */
  clear(): void {
    for (const { buffer } of this.#pieces) (buffer as ArrayBuffer).transfer(0)
    this.#pieces = []
    this.#taken = PIECE_BYTES
    this.#slots.fill(0)
    this.#keys = 0
  }

  /** Where the key is found, or is to be put. */
  #slotOf(key: string, hash: number): number {
    const slots = this.#slots
    const last = slots.length / 2 - 1
    for (let slot = hash & last; ; slot = (slot + 1) & last) {
      const place = slots[2 * slot + 1] as number
      if (place === 0 || (slots[2 * slot] === hash && this.#isOf(place, key))) return slot
    }
  }

  #isOf(place: number, key: string): boolean {
    const bytes = this.#pieceOf(place)
    const at = offsetOf(place)
    if (bytes[at + KEY_LENGTH_AT] !== key.length) return false
    for (let i = 0; i < key.length; i++) if (bytes[at + KEY_AT + i] !== key.charCodeAt(i)) return false
    return true
  }

  #placeIn(slot: number): number {
    return this.#slots[2 * slot + 1] as number
  }

  #pieceOf(place: number): Buffer {
    return this.#pieces[Math.floor((place - 1) / PIECE_STEPS)] as Buffer
  }

  #stepsOf(place: number): number {
    return stepsAt(this.#pieceOf(place), offsetOf(place))
  }

  #newPlace(steps: number): number {
    if (this.#taken + steps * STEP_BYTES > PIECE_BYTES) {
      this.#pieces.push(Buffer.alloc(PIECE_BYTES))
      this.#taken = 0
    }
    const place = (this.#pieces.length - 1) * PIECE_STEPS + this.#taken / STEP_BYTES + 1
    this.#taken += steps * STEP_BYTES
    return place
  }

  /** For one more key. */
  #makeRoom(): void {
    const slots = this.#slots
    if (4 * this.#keys < slots.length) return
    const more = new Uint32Array(2 * slots.length)
    const last = slots.length - 1
    for (let i = 0; i < slots.length; i += 2) {
      if (slots[i + 1] === 0) continue
      let slot = (slots[i] as number) & last
      while (more[2 * slot + 1] !== 0) slot = (slot + 1) & last
      more[2 * slot] = slots[i] as number
      more[2 * slot + 1] = slots[i + 1] as number
    }
    this.#slots = more
  }
}

/** Where it ends; -1 when the row cannot be packed. */
function draft(key: string, row: readonly unknown[]): number {
  const end = writeRow(DRAFT, KEY_AT + key.length, row)
  if (end < 0) return -1
  const steps = Math.ceil(end / STEP_BYTES)
  DRAFT[0] = steps
  DRAFT[1] = steps >>> 8
  DRAFT[KEY_LENGTH_AT] = key.length
  DRAFT[HAS_ROW_AT] = 1
  for (let i = 0; i < key.length; i++) DRAFT[KEY_AT + i] = key.charCodeAt(i)
  return end
}

function stepsAt(bytes: Buffer, at: number): number {
  return (bytes[at] as number) + (bytes[at + 1] as number) * 256
}

function offsetOf(place: number): number {
  return ((place - 1) % PIECE_STEPS) * STEP_BYTES
}
