/**
 * Every way in which a request can be refused. A denial is a value, an exception is a fault.
 * Each face words every code in its own table, so that a new code does not compile until all faces answer it.
 */
import type { EndReason } from './session.ts'

export type DenialCode =
  | 'credential-missing'
  | 'application-unknown'
  | 'application-wrong'
  | 'token-invalid'
  | 'token-expired'
  | 'session-over'
  | 'account-unknown'
  | 'account-inactive'
  | 'credentials-wrong'
  | 'forbidden'
  | 'not-found'
  | 'target-unknown'
  | 'target-terminated'
  | 'own-account'
  | 'last-super-admin'
  | 'email-taken'
  | 'too-many-attempts'
  | 'try-again'

export interface Denial {
  readonly denied: DenialCode
  /** Why the session is over; disclosed only to a caller that holds a genuine token of the session. */
  readonly reason?: SessionOverReason
  /** For `too-many-attempts` and `try-again`: when the client may try again. */
  readonly retryAfterSeconds?: number
}

/** Why a session is over: a recorded end, one that follows from the time or the application, or `unknown`. */
export type SessionOverReason = EndReason | 'unknown' | 'expired' | 'idle'

export function deny(denied: DenialCode, reason?: SessionOverReason): Denial {
  return reason === undefined ? { denied } : { denied, reason }
}

export function isDenial(value: object): value is Denial {
  return 'denied' in value
}

/** The denial for a token whose session does not exist for this caller. */
export const NO_SESSION: Denial = deny('session-over', 'unknown')

/** The denial for a token of one application beside the key of another. Nothing ends: an honest client has the wrong key. */
export const WRONG_APPLICATION: Denial = deny('application-wrong')

/** The denial when the account changed meanwhile, so that nothing was done: the same request may succeed now. */
export const TRY_AGAIN: Denial = { denied: 'try-again', retryAfterSeconds: 1 }

/** The denial of an attempt over a limit; `waitMs` is the time until the limit has room again. */
export function tooManyAttempts(waitMs: number): Denial {
  return { denied: 'too-many-attempts', retryAfterSeconds: Math.ceil(waitMs / 1000) }
}
