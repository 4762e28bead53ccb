import { DatabaseError } from 'pg'
import { StoreUnavailable } from '../store.ts'

/** Whole classes that say "not now": connection, resources, operator's intervention, the server's system. */
const UNAVAILABLE_CLASSES = new Set(['08', '53', '57', '58'])

/** Single codes that say the same. */
const UNAVAILABLE_CODES = new Set([
  '25006', // read_only_sql_transaction: a standby, or a server made read-only
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '40001', // serialization_failure, after all tries
  '40P01', // deadlock_detected, after all tries
  '55P03', // lock_not_available: lock_timeout
  'XX001', // data_corrupted
  'XX002', // index_corrupted
])

/** Of those, the ones that speak about the statement and not about the connection or its server. */
const CONNECTION_IS_FINE = new Set(['40001', '40P01', '55P03', '57014'])

/** An error of the driver or the server as the store's callers know it: `StoreUnavailable`, or the fault itself. */
export function unavailableIfSo(error: unknown): unknown {
  if (error instanceof StoreUnavailable) return error
  if (!(error instanceof Error)) return error
  const code = sqlState(error)
  // What is no answer of the server is the way to it: refused, broken, timed out.
  const isUnavailable =
    code === null || UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || UNAVAILABLE_CODES.has(code)
  return isUnavailable ? unavailable(error) : error
}

/** The store cannot answer because of `error`; while connecting, whatever the error is. */
export function unavailable(error: unknown): StoreUnavailable {
  const message = error instanceof Error ? error.message : String(error)
  return new StoreUnavailable(`PostgreSQL: ${message}`, { cause: error })
}

/**
 * Whether a connection should be given up after an error. After a fail-over an old connection may lead to a server
 * that is read-only for good; a new one finds the new primary.
 */
export function spoilsConnection(error: unknown): boolean {
  const code = sqlState(error)
  if (code === null) return true
  if (CONNECTION_IS_FINE.has(code)) return false
  return UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || UNAVAILABLE_CODES.has(code)
}

/** Whether the server asks for the same transaction once more: a deadlock, a serialisation failure. */
export function asksForRetry(error: unknown): boolean {
  const code = sqlState(error)
  return code === '40P01' || code === '40001'
}

/** Whether an error says that a unique column has this value already. */
export function isDuplicate(error: unknown, constraint: string): boolean {
  return error instanceof DatabaseError && error.code === '23505' && error.constraint === constraint
}

function sqlState(error: unknown): string | null {
  return error instanceof DatabaseError ? (error.code ?? null) : null
}
