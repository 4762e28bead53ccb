/** Refresh tokens of the original: when one still stands for its account, so that it may be exchanged for a session. */
import { type Account, STATUS, emailKey } from './account.ts'
import type { Application } from './application.ts'
import { type Denial, deny } from './denial.ts'

/** What a token of the original says. Times are seconds since 1970, of the machine that issued it. */
export interface LegacyClaims {
  readonly accountId: number
  readonly email: string
  /** A bcrypt hash that only the original could make; checked once. */
  readonly accountKey: string
  readonly notBeforeSeconds: number
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** An account as tokens of the original see it. */
export interface LegacyAccount {
  readonly account: Account
  /**
   * The epoch of the default application when the account came over. Null when it takes no tokens of the original: it
   * did not come over with them, or its password or status was changed or all its sessions were ended since.
   */
  readonly applicationEpoch: number | null
}

/** How far the clock of the machine that issued a token may have been ahead of ours. */
const CLOCK_DIFFERENCE_SECONDS = 60

/** Whether the times of a token are in order now; null when they are. */
export function legacyTimeDenial(claims: LegacyClaims, nowMs: number): Denial | null {
  const { notBeforeSeconds, issuedAtSeconds, expiresAtSeconds } = claims
  if (nowMs >= expiresAtSeconds * 1000) return deny('session-over', 'expired')
  const latest = Math.floor(nowMs / 1000) + CLOCK_DIFFERENCE_SECONDS
  return Math.max(notBeforeSeconds, issuedAtSeconds) > latest ? deny('token-invalid') : null
}

/**
 * Whether a token that has not been used with us yet still stands for its account; null when it does.
 *
 * No clock decides whether it was issued before a change of password, an end of all sessions or a suspension: its
 * `iat` is a time of another machine. All these raise the account's `version` (and an end of all sessions of the
 * application its `epoch`) in their own transaction. A token of the original counts as a session opened when the
 * account came over; so it stands only while both are what they were then.
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
  return applicationEpoch === application.epoch ? null : deny('session-over', 'unknown')
}
