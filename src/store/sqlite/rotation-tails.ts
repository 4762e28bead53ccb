import type { Session } from '../../core/session.ts'

/** The columns of a session that a refresh changes, unless it ends it. */
export type Tail = Pick<
  Session,
  'generation' | 'rotatedAtMs' | 'handedOutAtMs' | 'kid' | 'attemptKey' | 'repeats' | 'lastUsedAtMs'
>

/** A row: seven numbers, then session id and attempt key, a byte for the length of each and its characters. */
const ROW_NUMBERS = 13
const ROW_BYTES = ROW_NUMBERS * 8
const SESSION_ID_AT = 7 * 8
const ATTEMPT_KEY_AT = SESSION_ID_AT + 24
const NO_TEXT = 255
/** Of a session id or an attempt key; ours have 22. */
export const MOST_CHARACTERS = 23

/** By the first two characters of an id, which are random: so never more than a few have to be sorted at a time. */
const BUCKETS = 1 << 14

/**
 * The newest tail of each of many sessions, which can be taken out in the order of their ids. Kept as bytes: of a hundred
 * thousand objects the garbage collector looks at each again and again, and all requests wait for it meanwhile.
 */
export class Tails {
  #bytes = Buffer.alloc(0)
  /** The same memory. */
  #numbers = new Float64Array(0)
  #rows = 0
  /** Numbers of rows, from 1 on, each at the first free place from its hash on; half of the places at least are free. */
  #places = new Uint32Array(1)
  readonly #kids: string[] = []
  /** Rows by buckets, in order up to `#sortedTo`; made when taking out begins. */
  #order: Uint32Array | null = null
  #bucketEnds = new Uint32Array(0)
  #bucket = 0
  #sortedTo = 0
  #taken = 0

  /** How many have not been taken out. */
  get left(): number {
    return this.#rows - this.#taken
  }

  get(sessionId: string): Tail | undefined {
    const row = this.#rowAt(this.#placeOf(sessionId, hashOf(sessionId)))
    if (row < 0) return undefined
    const numbers = this.#numbers
    const at = row * ROW_NUMBERS
    return {
      generation: numbers[at] as number,
      rotatedAtMs: numbers[at + 1] as number,
      handedOutAtMs: numbers[at + 2] as number,
      lastUsedAtMs: numbers[at + 3] as number,
      repeats: numbers[at + 4] as number,
      kid: this.#kids[numbers[at + 5] as number] as string,
      attemptKey: this.#textAt(row * ROW_BYTES + ATTEMPT_KEY_AT),
    }
  }

  has(sessionId: string): boolean {
    return this.#rowAt(this.#placeOf(sessionId, hashOf(sessionId))) >= 0
  }

  /** Not once taking out has begun. Texts have `MOST_CHARACTERS` at most. */
  put(sessionId: string, tail: Tail): void {
    const hash = hashOf(sessionId)
    let row = this.#rowAt(this.#placeOf(sessionId, hash))
    if (row < 0) {
      if ((this.#rows + 1) * ROW_BYTES > this.#bytes.length) this.#grow()
      row = this.#rows
      this.#rows += 1
      this.#places[this.#placeOf(sessionId, hash)] = this.#rows
      this.#writeText(row * ROW_BYTES + SESSION_ID_AT, sessionId)
    }
    const numbers = this.#numbers
    const at = row * ROW_NUMBERS
    numbers[at] = tail.generation
    numbers[at + 1] = tail.rotatedAtMs
    numbers[at + 2] = tail.handedOutAtMs
    numbers[at + 3] = tail.lastUsedAtMs
    numbers[at + 4] = tail.repeats
    numbers[at + 5] = this.#kidNumber(tail.kid)
    numbers[at + 6] = hash
    this.#writeText(row * ROW_BYTES + ATTEMPT_KEY_AT, tail.attemptKey)
  }

  /** The next ids, at most `count`. They stay until they are taken out. */
  peek(count: number): readonly string[] {
    this.#order ??= this.#inBuckets()
    const to = Math.min(this.#taken + count, this.#rows)
    while (this.#sortedTo < to) this.#sortBucket(this.#order)
    const rows = Array.from(this.#order.subarray(this.#taken, to))
    return rows.map((row) => this.#textAt(row * ROW_BYTES + SESSION_ID_AT) as string)
  }

  takeOut(count: number): void {
    this.#taken += count
  }

  /** Forgets everything but its memory: to give that back and take new is work for the garbage collector. */
  clear(): void {
    this.#rows = 0
    this.#places.fill(0)
    this.#order = null
    this.#bucket = 0
    this.#sortedTo = 0
    this.#taken = 0
  }

  /** Where the session's row is found, or would be put. */
  #placeOf(sessionId: string, hash: number): number {
    const last = this.#places.length - 1
    let place = hash & last
    for (;;) {
      const row = this.#rowAt(place)
      if (row < 0 || (this.#numbers[row * ROW_NUMBERS + 6] === hash && this.#isRowOf(row, sessionId)))
        return place
      place = (place + 1) & last
    }
  }

  /** Below 0 where there is none. */
  #rowAt(place: number): number {
    return (this.#places[place] as number) - 1
  }

  #isRowOf(row: number, sessionId: string): boolean {
    return this.#textAt(row * ROW_BYTES + SESSION_ID_AT) === sessionId
  }

  /** For twice as many rows. */
  #grow(): void {
    const rows = Math.max(1024, 2 * this.#rows)
    const bytes = Buffer.from(new ArrayBuffer(rows * ROW_BYTES))
    this.#bytes.copy(bytes)
    this.#bytes = bytes
    this.#numbers = new Float64Array(bytes.buffer)
    const places = new Uint32Array(2 * rows)
    const last = places.length - 1
    for (let row = 0; row < this.#rows; row++) {
      let place = (this.#numbers[row * ROW_NUMBERS + 6] as number) & last
      while (places[place] !== 0) place = (place + 1) & last
      places[place] = row + 1
    }
    this.#places = places
  }

  /** There are one or two, unless keys are changed all day. */
  #kidNumber(kid: string): number {
    const known = this.#kids.lastIndexOf(kid)
    return known < 0 ? this.#kids.push(kid) - 1 : known
  }

  #writeText(at: number, text: string | null): void {
    this.#bytes[at] = text === null ? NO_TEXT : this.#bytes.write(text, at + 1, MOST_CHARACTERS, 'latin1')
  }

  #textAt(at: number): string | null {
    const length = this.#bytes[at] as number
    return length === NO_TEXT ? null : this.#bytes.toString('latin1', at + 1, at + 1 + length)
  }

  #inBuckets(): Uint32Array {
    const ends = new Uint32Array(BUCKETS)
    for (let row = 0; row < this.#rows; row++) ends[this.#bucketOf(row)]!++
    for (let i = 1; i < BUCKETS; i++) ends[i]! += ends[i - 1] as number
    const order = new Uint32Array(this.#rows)
    const starts = Uint32Array.from(ends)
    for (let row = 0; row < this.#rows; row++) order[--starts[this.#bucketOf(row)]!] = row
    this.#bucketEnds = ends
    return order
  }

  #bucketOf(row: number): number {
    const at = row * ROW_BYTES + SESSION_ID_AT + 1
    return (((this.#bytes[at] as number) & 127) << 7) | ((this.#bytes[at + 1] as number) & 127)
  }

  #sortBucket(order: Uint32Array): void {
    const end = this.#bucketEnds[this.#bucket] as number
    this.#bucket += 1
    order.subarray(this.#sortedTo, end).sort((a, b) => this.#compare(a, b))
    this.#sortedTo = end
  }

  #compare(a: number, b: number): number {
    const [aAt, bAt] = [a * ROW_BYTES + SESSION_ID_AT, b * ROW_BYTES + SESSION_ID_AT]
    const bytes = this.#bytes
    const end = (at: number) => at + 1 + (bytes[at] as number)
    return bytes.compare(bytes, bAt + 1, end(bAt), aAt + 1, end(aAt))
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
