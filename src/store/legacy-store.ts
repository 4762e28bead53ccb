/**
 * The part of the store that exchanges refresh tokens of the PHP original for sessions. The guarantees that `store.ts`
 * gives for all verbs hold here too.
 */
import type { Denial } from '../core/denial.ts'
import type { LegacyAccount } from '../core/legacy.ts'
import type { NewSession } from '../core/session.ts'

/**
 * In the table `legacy_accounts`: stands for all accounts that are imported later, if a recovery has refused their
 * tokens.
 */
export const LATER_ACCOUNTS = 0
/** In the table `legacy_accounts`: the version of an account whose tokens a recovery has refused; no account has it. */
export const NO_VERSION = 0

/** The session's id is derived from the token, so that a token has the same session wherever it is presented. */
export interface OpenLegacySession extends NewSession {
  /** The e-mail address that the token was issued to; the account must still have it. */
  readonly email: string
  /** The expiry of the token, which is the absolute end of the session. */
  readonly expiresAtMs: number
  readonly maxLiveSessions: number
}

export type OpenLegacySessionOutcome =
  /** `endedSessions` were ended to make room for this session. */
  | { readonly kind: 'opened'; readonly endedSessions: readonly string[] }
  /** The token has been exchanged already: another request was faster. */
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly denial: Denial }

export interface LegacyStore {
  /** Whether a token was exchanged for this session before, even if the session has ended or been removed. */
  knowsLegacySession(sessionId: string): Promise<boolean>
  findLegacyAccount(accountId: number): Promise<LegacyAccount | null>
  /**
   * Opens the session of a token, without rotation, if `legacyDenial` allows it at that moment. A token is exchanged
   * only once across all instances. Leaves the account's date of sign-in unchanged. Sessions above `maxLiveSessions`
   * end as in `openSession`.
   */
  openLegacySession(request: OpenLegacySession): Promise<OpenLegacySessionOutcome>
  /** Forgets at most `limit` exchanged tokens that expired before this time. Returns how many it forgot. */
  removeOldLegacySessions(expiredBeforeMs: number, limit: number): Promise<number>
}
