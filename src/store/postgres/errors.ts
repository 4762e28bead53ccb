import { DatabaseError } from 'pg'
import { StoreUnavailable } from '../store.ts'

/** SQLSTATE classes that say "not now": connection, resources, operator intervention, the server's system. */
const UNAVAILABLE_CLASSES = new Set(['08', '53', '57', '58'])

/** Single SQLSTATE codes that say the same. */
const UNAVAILABLE_CODES = new Set([
  '25006', // read_only_sql_transaction: a standby, or a server made read-only
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '40001', // serialization_failure, unless a retry succeeds
  '40P01', // deadlock_detected, unless a retry succeeds
  '55P03', // lock_not_available: lock_timeout
  'XX001', // data_corrupted
  'XX002', // index_corrupted
])

/** Those codes that concern the statement and not the connection or its server. */
const CONNECTION_IS_FINE = new Set(['40001', '40P01', '55P03', '57014'])

/** Turns an error of driver or server into `StoreUnavailable` if it says "not now", and returns others as they are. */
export function unavailableIfSo(error: unknown): unknown {
  if (error instanceof StoreUnavailable) return error
  if (!(error instanceof Error)) return error
  const code = sqlState(error)
  // An error without a code does not come from the server but from the way to it: refused, broken, timed out.
  const isUnavailable =
    code === null || UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || UNAVAILABLE_CODES.has(code)
  return isUnavailable ? unavailable(error) : error
}

/** Wraps `error` in `StoreUnavailable`, whatever it is; every error while connecting is wrapped so. */
export function unavailable(error: unknown): StoreUnavailable {
  const message = error instanceof Error ? error.message : String(error)
  return new StoreUnavailable(`PostgreSQL: ${message}`, { cause: error })
}

/**
 * Whether to give a connection up after an error. After a fail-over, an old connection may lead to a server that stays
 * read-only; a new one finds the new primary.
 */
export function spoilsConnection(error: unknown): boolean {
  const code = sqlState(error)
  if (code === null) return true
  if (CONNECTION_IS_FINE.has(code)) return false
  return UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || UNAVAILABLE_CODES.has(code)
}

/** Whether the server asks to try the transaction again: after a deadlock or a serialisation failure. */
export function asksForRetry(error: unknown): boolean {
  const code = sqlState(error)
  return code === '40P01' || code === '40001'
}

/** Whether the user of the connection may not do what the statement does. */
export function isForbidden(error: unknown): boolean {
  return sqlState(error) === '42501'
}

/** Whether an error says that a unique column has this value already. */
export function isDuplicate(error: unknown, constraint: string): boolean {
  return error instanceof DatabaseError && error.code === '23505' && error.constraint === constraint
}

function sqlState(error: unknown): string | null {
  return error instanceof DatabaseError ? (error.code ?? null) : null
}
