import type { Session } from '../../core/session.ts'
import { hashOf } from './hash-of.ts'

/** The columns of a session that a refresh changes, unless the refresh ends the session. */
export type Tail = Pick<
  Session,
  'generation' | 'rotatedAtMs' | 'handedOutAtMs' | 'kid' | 'attemptKey' | 'repeats' | 'lastUsedAtMs'
>

/** The layout of a row: these numbers, then session id and attempt key, each as a byte of length and its characters. */
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
/** Stands in place of a length for null. */
const NO_TEXT = 255
/** The longest session id or attempt key that a row can hold; Duktig's have 22 characters. */
export const MOST_TEXT_CHARACTERS = TEXT_BYTES - 1

/** A sort key is this many characters of the id (24 bits) and the row's number (29 bits): a double holds 53 exactly. */
const ORDER_CHARACTERS = 3
const MOST_ROWS = 2 ** 29

/**
 * The newest tail of each of many sessions; they can be taken out approximately in the order of the session ids. Kept
 * as bytes: the garbage collector would look at each of a hundred thousand objects again and again while all requests
 * wait (docs/decisions/0017).
 */
export class Tails {
  #bytes = Buffer.alloc(0)
  /** The same memory as `#bytes`. */
  #numbers = new Float64Array(0)
  #rows = 0
  /** Open addressing with linear probing: the number of a row plus 1, or 0 for a free place; at most half full. */
  #places = new Uint32Array(1)
  readonly #kids: string[] = []
  /** The rows in the order of the first characters of their session ids; made when taking out begins. */
  #order: Float64Array | null = null
  #taken = 0

  /** How many tails have not been taken out. */
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

  /** Makes room for one more session. If memory runs out, this fails, so that the next `put` cannot. */
  makeRoom(): void {
    if (this.#rows * ROW_BYTES === this.#bytes.length) this.#grow()
  }

  /** Must not be called once taking out has begun. Texts have `MOST_TEXT_CHARACTERS` at most. */
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

  /** Undoes the latest `put` that is not undone yet; `before` is the tail that the session had before that `put`. */
  undoPut(sessionId: string, before: Tail | undefined): void {
    if (before !== undefined) return this.put(sessionId, before)
    // Safe with linear probing: no probe sequence passes through this slot, since every later `put` is undone already.
    this.#places[this.#placeOf(sessionId, hashOf(sessionId))] = 0
    this.#rows -= 1
  }

  /** The next session ids to take out, at most `count`. Their tails stay until `takeOut`. */
  peek(count: number): readonly string[] {
    this.#order ??= this.#inOrder()
    const next = Array.from(this.#order.subarray(this.#taken, this.#taken + count))
    return next.map((key) => this.#sessionIdOf(key % MOST_ROWS))
  }

  takeOut(count: number): void {
    this.#taken += count
  }

  /** Removes all tails but keeps the memory: freeing it and allocating new memory is work for the garbage collector. */
  clear(): void {
    this.#rows = 0
    this.#places.fill(0)
    this.#kids.length = 0
    this.#order = null
    this.#taken = 0
  }

  /** Frees the memory; only to be called when there are no tails. */
  giveBack(): void {
    this.#resize(0)
    this.#places = new Uint32Array(1)
  }

  /** Negative if there is none, as for `#rowAt`. */
  #rowOf(sessionId: string): number {
    return this.#rowAt(this.#placeOf(sessionId, hashOf(sessionId)))
  }

  /** The place that holds the session's row, or the free place where it belongs. */
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

  /** Makes room for twice as many rows. */
  #grow(): void {
    const rows = Math.max(1024, 2 * this.#rows)
    // If memory runs out in either allocation, everything stays as it was.
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

  /** Frees the previous memory at once, since the garbage collector would not run in quiet times. */
  #resize(bytes: number): void {
    const memory = this.#numbers.buffer.transfer(bytes)
    this.#bytes = Buffer.from(memory)
    this.#numbers = new Float64Array(memory)
  }

  /** A plain search is enough: there are one or two keys, unless keys are rotated all day. */
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

  /** Only so that sessions settled together share pages: ids that begin alike stay unsorted. */
  #inOrder(): Float64Array {
    const order = new Float64Array(this.#rows)
    for (let row = 0; row < this.#rows; row++) {
      const start = this.#bytes.readUIntBE(row * ROW_BYTES + SESSION_ID_AT + 1, ORDER_CHARACTERS)
      order[row] = start * MOST_ROWS + row
    }
    return order.sort()
  }
}
