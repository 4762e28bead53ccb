/**
 * The part of the store that exchanges refresh tokens of the original for sessions of ours. What `store.ts` says of all
 * verbs holds here.
 */
import type { Denial } from '../core/denial.ts'
import type { LegacyAccount } from '../core/legacy.ts'
import type { NewSession } from '../core/session.ts'

/** The id of the session is made of the token itself, so that a token has one wherever it is presented. */
export interface OpenLegacySession extends NewSession {
  /** The address that the token was issued to; it must be the account's still. */
  readonly email: string
  /** The end of the token, which is the absolute end of the session. */
  readonly expiresAtMs: number
  readonly maxLiveSessions: number
}

export type OpenLegacySessionOutcome =
  /** `endedSessions` had to make room for this one. */
  | { readonly kind: 'opened'; readonly endedSessions: readonly string[] }
  /** The token has had its session already: another request was faster. */
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly denial: Denial }

export interface LegacyStore {
  /** Whether a token was exchanged for this session before, be it living, over or removed. */
  knowsLegacySession(sessionId: string): Promise<boolean>
  findLegacyAccount(accountId: number): Promise<LegacyAccount | null>
  /**
   * Opens the session of a token, without rotation; once and never again, on all instances together. On condition that `legacyDenial` finds nothing against it at that moment. The account's date of
   * sign-in stays. More than `maxLiveSessions`: the longest unused end.
   */
  openLegacySession(request: OpenLegacySession): Promise<OpenLegacySessionOutcome>
  /** Forgets at most `limit` sessions of tokens whose end lies before. How many it forgot. */
  removeOldLegacySessions(expiredBeforeMs: number, limit: number): Promise<number>
}
