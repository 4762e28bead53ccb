/** Refresh tokens of the PHP original: when such a token is still valid for its account and may open a session. */
import { type Account, STATUS, emailKey } from './account.ts'
import type { Application } from './application.ts'
import { type Denial, NO_SESSION, deny } from './denial.ts'

/** The claims of a token of the original. Times are seconds since 1970, by the clock of the machine that issued it. */
export interface LegacyClaims {
  readonly accountId: number
  readonly email: string
  /** A bcrypt hash that only the original could make; checked at the first use of the token only. */
  readonly accountKey: string
  readonly notBeforeSeconds: number
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** An account, and whether it accepts tokens of the original. */
export interface LegacyAccount {
  readonly account: Account
  /**
   * The epoch of the default application when the account was imported. Null if the account accepts no tokens of the
   * original: it was not imported from there, or since then its password or status changed or all its sessions were
   * ended, or that had happened before a recovery from a backup older than the import.
   */
  readonly applicationEpoch: number | null
}

/** How far the clock of the machine that issued a token may have been ahead of this service's clock. */
const CLOCK_DIFFERENCE_SECONDS = 60

/** The denial for a token whose times rule it out at `nowMs`; null if they do not. */
export function legacyTimeDenial(claims: LegacyClaims, nowMs: number): Denial | null {
  const { notBeforeSeconds, issuedAtSeconds, expiresAtSeconds } = claims
  if (nowMs >= expiresAtSeconds * 1000) return deny('session-over', 'expired')
  const latest = Math.floor(nowMs / 1000) + CLOCK_DIFFERENCE_SECONDS
  return Math.max(notBeforeSeconds, issuedAtSeconds) > latest ? deny('token-invalid') : null
}

/**
 * The denial for a token that was never exchanged, if it is not valid for its account any more; null if it is.
 *
 * No clock decides whether the token was issued before a change of password, a suspension or an end of all sessions:
 * its `iat` is a time of another machine. Each of these events raises the account's `version` in its own transaction,
 * and an end of all sessions of the application raises the application's `epoch`. A token of the original counts as a
 * session opened when the account was imported, so it is valid only while both numbers are what they were then.
 */
export function legacyDenial(
  claims: Pick<LegacyClaims, 'email'>,
  found: LegacyAccount | null,
  application: Application | null,
): Denial | null {
  if (found === null) return deny('account-unknown')
  const { account, applicationEpoch } = found
  if (account.status !== STATUS.active) return deny('account-inactive')
  if (emailKey(account.email) !== emailKey(claims.email)) return deny('token-invalid')
  if (application === null || application.disabled) return deny('session-over', 'application-disabled')
  return applicationEpoch === application.epoch ? null : NO_SESSION
}
