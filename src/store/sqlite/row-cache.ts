import { hashOf } from './hash-of.ts'
import { MOST_KEY_CHARACTERS, PackedRows } from './packed-rows.ts'

/**
 * The rows asked for lately, within a limit of memory. New rows go into the young half. When that is full, the old half
 * is dropped and the young one takes its place. A row found in the old half moves to the young one.
 */
export class RowCache {
  readonly #mostBytes: number
  readonly #columns: number
  #young = new PackedRows()
  #old = new PackedRows()

  /** For rows of `columns` columns, in about `mostBytes` of memory. */
  constructor(mostBytes: number, columns: number) {
    this.#mostBytes = mostBytes
    this.#columns = columns
  }

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes
  }

  /** The first `columns` values of the key's row; undefined if the row is not cached. */
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
      // Memory has run out. All rows can be read again from the database.
      this.clear()
    }
  }

  delete(key: string): void {
    const hash = hashOf(key)
    this.#young.delete(key, hash)
    this.#old.delete(key, hash)
  }

  /** Turns the halves: a row for which no request asks until the next call is dropped then. */
  age(): void {
    try {
      this.#turn()
    } catch (error) {
      // Memory has run out. Everything stays as it was until the next call.
      if (!(error instanceof RangeError)) throw error
    }
  }

  /** Allocates nothing, so that it never fails. */
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
