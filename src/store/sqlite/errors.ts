/** What SQLite throws, as the store's callers know it. */
import { StoreUnavailable } from '../store.ts'

/** Primary result codes that say "not now" rather than "never": busy, locked, I/O, full, read-only, cannot open, … */
const UNAVAILABLE_CODES = new Set([5, 6, 8, 10, 11, 13, 14, 26])
const LOCK_CODES = new Set([5, 6])
const UNIQUE_CODES = new Set([2067, 1555])

/** Runs `work`; what says "not now" is thrown as `StoreUnavailable`. */
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

/** Whether another process holds the lock that was needed. */
export function isLocked(error: unknown): boolean {
  return LOCK_CODES.has(primaryCode(error))
}

/** Whether a unique column has this value already. */
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
