import { readRow, writeRow } from './packed-row.ts'

/** Memory is allocated in pieces of this size, so that growing never copies existing rows. */
const PIECE_BYTES = 2 ** 20
const LEAST_SLOTS = 1024
/** A place is a position in steps of this many bytes, counted from 1: it fits in 32 bits, and 0 means none. */
const STEP_BYTES = 8
const PIECE_STEPS = PIECE_BYTES / STEP_BYTES
/** At a place: its size in steps (two bytes), the length of the key, whether there is a row, the key, the row. */
const KEY_LENGTH_AT = 2
const HAS_ROW_AT = 3
const KEY_AT = 4
/** A larger row is not kept. */
const MOST_ROW_BYTES = 4096
export const MOST_KEY_CHARACTERS = 64

/** A row is packed here first, since its length is not known before. */
const DRAFT = Buffer.alloc(KEY_AT + MOST_KEY_CHARACTERS + MOST_ROW_BYTES)

/**
 * Rows by an ASCII key, kept as bytes: the garbage collector would look at each of a million objects again and again
 * while all requests wait (docs/decisions/0017). The parameter `hash` is the hash of the key.
 */
export class PackedRows {
  #pieces: Buffer[] = []
  /** Bytes used of the last piece. */
  #taken = PIECE_BYTES
  /** Open addressing with linear probing, two numbers to a slot: hash and place. At most half full. */
  #slots: Uint32Array
  #keys = 0

  /** Allocates slots for `expectedKeys` at once. */
  constructor(expectedKeys = 0) {
    let slots = LEAST_SLOTS
    while (slots < 2 * expectedKeys) slots *= 2
    this.#slots = new Uint32Array(2 * slots)
  }

  get keys(): number {
    return this.#keys
  }

  /** Bytes of memory allocated. */
  get bytes(): number {
    return this.#pieces.length * PIECE_BYTES + this.#slots.byteLength
  }

  /** The first `columns` values of the key's row. */
  get(key: string, hash: number, columns: number): unknown[] | undefined {
    const place = this.#placeIn(this.#slotOf(key, hash))
    if (place === 0) return undefined
    const bytes = this.#pieceOf(place)
    const at = offsetOf(place)
    return bytes[at + HAS_ROW_AT] === 0 ? undefined : readRow(bytes, at + KEY_AT + key.length, columns)
  }

  /**
   * Sets the key's row, or removes it if `row` cannot be kept. A key has `MOST_KEY_CHARACTERS` at most.
   * @throws {RangeError} when memory runs out; the key may then still have its previous row
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

  /** Removes the key's row. The place remains, for the key's next row. */
  delete(key: string, hash: number): void {
    const place = this.#placeIn(this.#slotOf(key, hash))
    if (place !== 0) this.#pieceOf(place)[offsetOf(place) + HAS_ROW_AT] = 0
  }

  /** Frees all memory at once, since the garbage collector would not run in quiet times. Unusable afterwards. */
  giveBack(): void {
    this.clear()
    ;(this.#slots.buffer as ArrayBuffer).transfer(0)
  }

  /** Removes all rows and frees their memory at once; the slots stay, for the next rows. */
  clear(): void {
    for (const { buffer } of this.#pieces) (buffer as ArrayBuffer).transfer(0)
    this.#pieces = []
    this.#taken = PIECE_BYTES
    this.#slots.fill(0)
    this.#keys = 0
  }

  /** The slot that holds the key, or the free slot where it belongs. */
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

  /** Makes room in the slots for one more key. */
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

/** Writes the contents of a place into `DRAFT` and returns their length; -1 if the row cannot be packed. */
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
