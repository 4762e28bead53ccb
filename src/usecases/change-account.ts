import { type Account, type AccountChange, STATUS } from '../core/account.ts'
import { type Denial, TRY_AGAIN, deny } from '../core/denial.ts'
import type { EndReason } from '../core/session.ts'
import { type HashPlace, provesWhole } from '../passwords/passwords.ts'
import type { AccountWithPassword, ChangeOptions } from '../store/store.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'
import { emailHash } from './guard-sign-in.ts'
import { type Actor, mayNoLonger } from './may-no-longer.ts'
import { sessionsEnded } from './sessions-ended.ts'
import { told } from './told.ts'

/** The fields to change; fields that are left out stay as they are. */
export interface AccountEdit extends Omit<AccountChange, 'passwordHash'> {
  readonly password?: string
}

/**
 * Tries before a change gives up. A try fails when the account's version was raised in between, by a change of password
 * or status or by an end of all its sessions.
 */
const TRIES = 10

const STATUS_REASON = {
  [STATUS.notVerified]: 'deactivated',
  [STATUS.suspended]: 'suspended',
  [STATUS.terminated]: 'terminated',
} as const

/**
 * Changes an account, and ends its sessions where the change requires it: all of them when the account is no longer
 * active; after a new password all of them, except `by.sessionId` when the account changes itself.
 * Denials: `target-unknown`, `target-terminated`, `email-taken`, `last-super-admin`, `try-again`, and with a password
 * those of `authenticate` or `forbidden` when `by` may no longer act. @throws {Overloaded}
 */
export async function changeAccount(
  deps: Deps,
  by: Action & Actor,
  accountId: number,
  { password, ...fields }: AccountEdit,
): Promise<Account | Denial> {
  let comparedWith: string | null = null
  /** The hash to set; null if `password` is left out or is the present one, which is no change and ends no session. */
  let passwordHash: string | null = null
  /** The hash of `password`, made at most once for all tries because hashing is slow. */
  let madeHash: string | null = null
  const { queue } = deps.passwords
  const place = by.accountId === accountId ? queue.ofOne(accountId) : queue
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await deps.store.findAccountWithPassword(accountId)
    if (before === null) return deny('target-unknown')
    // Compare again only when the stored hash has changed: comparing is slow, and in that time yet another change could
    // make this try fail too.
    if (password !== undefined && before.passwordHash !== comparedWith) {
      const isUnchanged = await isPresent(deps, before, password, place)
      // The policy refuses this password. `keepsPassword` let it through as the present one, which it no longer is: the
      // caller must ask again.
      if (!isUnchanged && !deps.passwordPolicy.accepts(password)) return TRY_AGAIN
      if (!isUnchanged) madeHash ??= await deps.passwords.hash(password, place)
      passwordHash = isUnchanged ? null : madeHash
      comparedWith = before.passwordHash
    }
    if (password !== undefined) {
      // When an account changes itself, an end of all its sessions after this check raises its version, and the write
      // below conflicts.
      const denial = await mayNoLonger(deps, by)
      if (denial !== null) return denial
    }
    const isNew = passwordHash !== null
    const keepsPassword = password !== undefined && !isNew
    const change = passwordHash === null ? fields : { ...fields, passwordHash }
    const options = { ...ending(by, accountId, fields, isNew), ifVersion: before.version, keepsPassword }
    const outcome = await told(deps.store.changeAccount(accountId, change, options), (done) => {
      if (done.kind !== 'changed') return
      deps.events.action({ ...by, message: by.message + changed(before, done.account, isNew) })
      if (options.endSessions !== undefined)
        sessionsEnded(deps.events, { ...by, accountId }, done.endedSessions, options.endSessions.reason)
    })
    if (outcome.kind === 'conflict') continue
    if (outcome.kind !== 'changed') return deny(DENIALS[outcome.kind])
    // Also when the password is unchanged: an earlier request may have set it and failed at this point.
    if (password !== undefined) await deps.store.clearGuards(emailHash(outcome.account.email))
    return outcome.account
  }
  return TRY_AGAIN
}

/** Whether this is the account's present password, so that setting it is no change. @throws {Overloaded} */
export async function hasPassword(deps: Deps, accountId: number, password: string): Promise<boolean> {
  const account = await deps.store.findAccountWithPassword(accountId)
  return account !== null && isPresent(deps, account, password, deps.passwords.queue.ofOne(accountId))
}

async function isPresent(
  { passwords }: Deps,
  { passwordHash }: AccountWithPassword,
  password: string,
  place: HashPlace,
): Promise<boolean> {
  return provesWhole(passwordHash, password) && passwords.verify(passwordHash, password, place)
}

/** The part of the message that lets an administrator trace who changed what opens an account, or what it may do. */
function changed(before: Account, after: Account, hasNewPassword: boolean): string {
  const role = before.roleId === after.roleId ? '' : `; role ${before.roleId} -> ${after.roleId}`
  const status = before.status === after.status ? '' : `; status ${before.status} -> ${after.status}`
  const email = before.email === after.email ? '' : '; new e-mail address'
  const password = hasNewPassword ? '; new password' : ''
  return role + status + email + password
}

const DENIALS = {
  unknown: 'target-unknown',
  terminated: 'target-terminated',
  'email-taken': 'email-taken',
  'last-super-admin': 'last-super-admin',
} as const

function ending(
  by: Action,
  accountId: number,
  { status }: AccountChange,
  newPassword: boolean,
): Pick<ChangeOptions, 'endSessions'> {
  const end = (reason: EndReason, exceptSessionId: string | null) => ({
    endSessions: { reason, exceptSessionId },
  })
  if (status !== undefined && status !== STATUS.active) return end(STATUS_REASON[status], null)
  if (newPassword) return end('password-changed', by.accountId === accountId ? (by.sessionId ?? null) : null)
  return {}
}
