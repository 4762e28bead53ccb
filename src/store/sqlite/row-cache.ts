import { hashOf } from './hash-of.ts'
import { MOST_KEY_CHARACTERS, PackedRows } from './packed-rows.ts'

/**
 * Rows that were asked for of late, within a bound of memory: a young half that takes in, and an old half that is dropped
 * when the young one is full and takes its place. What is found in the old one becomes young again.
 */
export class RowCache {
  readonly #mostBytes: number
  readonly #columns: number
  #young = new PackedRows()
  #old = new PackedRows()

  /** For rows of so many columns, in about so much memory. */
  constructor(mostBytes: number, columns: number) {
    this.#mostBytes = mostBytes
    this.#columns = columns
  }

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes
  }

  /** The first `columns` of a row; undefined when it is not known. */
  get(key: string, columns = this.#columns): unknown[] | undefined {
    const hash = hashOf(key)
    const row = this.#young.get(key, hash, columns)
    if (row !== undefined) return row
    const old = this.#old.get(key, hash, this.#columns)
    if (old === undefined) return undefined
    this.put(key, old)
    return old.slice(0, columns)
  }

  put(key: string, row: readonly unknown[]): void {
    if (key.length > MOST_KEY_CHARACTERS) return
    const hash = hashOf(key)
    this.#old.delete(key, hash)
    try {
      this.#young.put(key, hash, row)
      if (2 * this.#young.bytes > this.#mostBytes) this.#turn()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      // No memory is left. Everything can be read again.
      this.clear()
    }
  }

  delete(key: string): void {
    const hash = hashOf(key)
    this.#young.delete(key, hash)
    this.#old.delete(key, hash)
  }

  /** What nobody asks for until the next time is dropped then. */
  age(): void {
    try {
      this.#turn()
    } catch (error) {
      // No memory is left for it. Everything stays as it was, until the next time.
      if (!(error instanceof RangeError)) throw error
    }
  }

  /** Takes no memory, so that it never fails. */
  clear(): void {
    for (const rows of [this.#old, this.#young]) rows.clear()
  }

  #turn(): void {
    const young = new PackedRows(this.#young.keys)
    this.#old.giveBack()
    this.#old = this.#young
    this.#young = young
  }
}
