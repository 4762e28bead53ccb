/** Translates errors of SQLite into those that the store's callers know. */
import { StoreUnavailable } from '../store.ts'

/**
 * Primary result codes for which the store counts as unavailable: busy, locked, read-only, I/O error, corrupt, full,
 * cannot open, not a database.
 */
const UNAVAILABLE_CODES = new Set([5, 6, 8, 10, 11, 13, 14, 26])
const LOCK_CODES = new Set([5, 6])
const UNIQUE_CODES = new Set([2067, 1555])

/** Runs `work`, and throws `StoreUnavailable` for the errors in `UNAVAILABLE_CODES`. */
export function translate<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unavailableIfSo(error)
  }
}

export function unavailableIfSo(error: unknown): unknown {
  if (!UNAVAILABLE_CODES.has(primaryCode(error))) return error
  return new StoreUnavailable(`SQLite: ${(error as Error).message}`, { cause: error })
}

/** Whether the error says that another process holds the required lock. */
export function isLocked(error: unknown): boolean {
  return LOCK_CODES.has(primaryCode(error))
}

/** Whether the error says that a row with the same value of the unique `column` exists already. */
export function isDuplicate(error: unknown, column: string): boolean {
  return UNIQUE_CODES.has(codeOf(error)) && (error as Error).message.includes(column)
}

function primaryCode(error: unknown): number {
  return codeOf(error) & 0xff
}

function codeOf(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code : 0
}
