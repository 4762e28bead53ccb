import type { Session } from '../../core/session.ts'
import { hashOf } from './hash-of.ts'

/** The columns of a session that a refresh changes, unless it ends it. */
export type Tail = Pick<
  Session,
  'generation' | 'rotatedAtMs' | 'handedOutAtMs' | 'kid' | 'attemptKey' | 'repeats' | 'lastUsedAtMs'
>

/** A row: these numbers, then session id and attempt key, each a byte for its length and its characters. */
const COLUMN = {
  generation: 0,
  rotatedAtMs: 1,
  handedOutAtMs: 2,
  lastUsedAtMs: 3,
  repeats: 4,
  kid: 5,
  hash: 6,
} as const
const NUMBER_BYTES = 8
const TEXT_BYTES = 24
const SESSION_ID_AT = 7 * NUMBER_BYTES
const ATTEMPT_KEY_AT = SESSION_ID_AT + TEXT_BYTES
const ROW_BYTES = ATTEMPT_KEY_AT + TEXT_BYTES
const ROW_NUMBERS = ROW_BYTES / NUMBER_BYTES
/** In place of a length. */
const NO_TEXT = 255
/** Of a session id or an attempt key; ours have 22. */
export const MOST_TEXT_CHARACTERS = TEXT_BYTES - 1

/** Three characters, 24 bits, and the number of a row together are a whole number that a double holds exactly. */
const ORDER_CHARACTERS = 3
const MOST_ROWS = 2 ** 29

/**
 * The newest tail of each of many sessions, which can be taken out about in the order of their ids. Kept as bytes: of a
 * hundred thousand objects the garbage collector looks at each again and again, and all requests wait for it meanwhile.
 */
export class Tails {
  #bytes = Buffer.alloc(0)
  /** The same memory. */
  #numbers = new Float64Array(0)
  #rows = 0
  /** Open addressing with linear probing: the number of a row and 1, or 0 where none is; at most half full. */
  #places = new Uint32Array(1)
  readonly #kids: string[] = []
  /** Rows by the first characters of their ids; made when taking out begins. */
  #order: Float64Array | null = null
  #taken = 0

  /** How many have not been taken out. */
  get left(): number {
    return this.#rows - this.#taken
  }

  get(sessionId: string): Tail | undefined {
    const row = this.#rowOf(sessionId)
    if (row < 0) return undefined
    const numbers = this.#numbers
    const at = row * ROW_NUMBERS
    return {
      generation: numbers[at + COLUMN.generation] as number,
      rotatedAtMs: numbers[at + COLUMN.rotatedAtMs] as number,
      handedOutAtMs: numbers[at + COLUMN.handedOutAtMs] as number,
      lastUsedAtMs: numbers[at + COLUMN.lastUsedAtMs] as number,
      repeats: numbers[at + COLUMN.repeats] as number,
      kid: this.#kids[numbers[at + COLUMN.kid] as number] as string,
      attemptKey: this.#textAt(row * ROW_BYTES + ATTEMPT_KEY_AT),
    }
  }

  has(sessionId: string): boolean {
    return this.#rowOf(sessionId) >= 0
  }

  /** For one more. May fail for want of memory, where `put` then cannot. */
  makeRoom(): void {
    if (this.#rows * ROW_BYTES === this.#bytes.length) this.#grow()
  }

  /** Not once taking out has begun. Texts have `MOST_TEXT_CHARACTERS` at most. */
  put(sessionId: string, tail: Tail): void {
    this.makeRoom()
    const hash = hashOf(sessionId)
    const place = this.#placeOf(sessionId, hash)
    let row = this.#rowAt(place)
    if (row < 0) {
      row = this.#rows
      this.#rows += 1
      this.#places[place] = row + 1
      this.#writeText(row * ROW_BYTES + SESSION_ID_AT, sessionId)
    }
    const numbers = this.#numbers
    const at = row * ROW_NUMBERS
    numbers[at + COLUMN.generation] = tail.generation
    numbers[at + COLUMN.rotatedAtMs] = tail.rotatedAtMs
    numbers[at + COLUMN.handedOutAtMs] = tail.handedOutAtMs
    numbers[at + COLUMN.lastUsedAtMs] = tail.lastUsedAtMs
    numbers[at + COLUMN.repeats] = tail.repeats
    numbers[at + COLUMN.kid] = this.#kidNumber(tail.kid)
    numbers[at + COLUMN.hash] = hash
    this.#writeText(row * ROW_BYTES + ATTEMPT_KEY_AT, tail.attemptKey)
  }

  /** Takes the last `put` back, or the last that has not been; `before` is what the session had before it. */
  undoPut(sessionId: string, before: Tail | undefined): void {
    if (before !== undefined) return this.put(sessionId, before)
    // Safe with linear probing: no probe sequence passes through this slot, since every later `put` has been undone already.
    this.#places[this.#placeOf(sessionId, hashOf(sessionId))] = 0
    this.#rows -= 1
  }

  /** The next ids, at most `count`. They stay until they are taken out. */
  peek(count: number): readonly string[] {
    this.#order ??= this.#inOrder()
    const next = Array.from(this.#order.subarray(this.#taken, this.#taken + count))
    return next.map((key) => this.#sessionIdOf(key % MOST_ROWS))
  }

  takeOut(count: number): void {
    this.#taken += count
  }

  /** Forgets everything but its memory: to give that back and take new is work for the garbage collector. */
  clear(): void {
    this.#rows = 0
    this.#places.fill(0)
    this.#kids.length = 0
    this.#order = null
    this.#taken = 0
  }

  /** The memory of an empty one; only of an empty one. */
  giveBack(): void {
    this.#resize(0)
    this.#places = new Uint32Array(1)
  }

  /** Below 0 where there is none, as for `#rowAt`. */
  #rowOf(sessionId: string): number {
    return this.#rowAt(this.#placeOf(sessionId, hashOf(sessionId)))
  }

  /** Where the session's row is found, or is to be put. */
  #placeOf(sessionId: string, hash: number): number {
    const last = this.#places.length - 1
    for (let place = hash & last; ; place = (place + 1) & last) {
      const row = this.#rowAt(place)
      if (row < 0 || (this.#hashAt(row) === hash && this.#sessionIdOf(row) === sessionId)) return place
    }
  }

  #rowAt(place: number): number {
    return (this.#places[place] as number) - 1
  }

  #hashAt(row: number): number {
    return this.#numbers[row * ROW_NUMBERS + COLUMN.hash] as number
  }

  #sessionIdOf(row: number): string {
    return this.#textAt(row * ROW_BYTES + SESSION_ID_AT) as string
  }

  /** For twice as many rows. */
  #grow(): void {
    const rows = Math.max(1024, 2 * this.#rows)
    // Where there is no memory for one of both, everything stays as it was.
    const places = new Uint32Array(2 * rows)
    this.#resize(rows * ROW_BYTES)
    const last = places.length - 1
    for (let row = 0; row < this.#rows; row++) {
      let place = this.#hashAt(row) & last
      while (places[place] !== 0) place = (place + 1) & last
      places[place] = row + 1
    }
    this.#places = places
  }

  /** What it had is given back at once: the garbage collector would not come in quiet times. */
  #resize(bytes: number): void {
    const memory = this.#numbers.buffer.transfer(bytes)
    this.#bytes = Buffer.from(memory)
    this.#numbers = new Float64Array(memory)
  }

  /** There are one or two, unless keys are changed all day. */
  #kidNumber(kid: string): number {
    const known = this.#kids.lastIndexOf(kid)
    return known < 0 ? this.#kids.push(kid) - 1 : known
  }

  #writeText(at: number, text: string | null): void {
    this.#bytes[at] =
      text === null ? NO_TEXT : this.#bytes.write(text, at + 1, MOST_TEXT_CHARACTERS, 'latin1')
  }

  #textAt(at: number): string | null {
    const length = this.#bytes[at] as number
    return length === NO_TEXT ? null : this.#bytes.toString('latin1', at + 1, at + 1 + length)
  }

  /** Only so that those who are settled together share pages: ids that begin alike may stand either way round. */
  #inOrder(): Float64Array {
    const order = new Float64Array(this.#rows)
    for (let row = 0; row < this.#rows; row++) {
      const start = this.#bytes.readUIntBE(row * ROW_BYTES + SESSION_ID_AT + 1, ORDER_CHARACTERS)
      order[row] = start * MOST_ROWS + row
    }
    return order.sort()
  }
}
