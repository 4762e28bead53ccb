import { type Account, STATUS } from '../core/account.ts'
import { type Denial, deny } from '../core/denial.ts'
import type { EndReason } from '../core/session.ts'
import { type HashPlace, provesWhole } from '../passwords/passwords.ts'
import type { AccountChange, AccountWithPassword, ChangeOptions } from '../store/store.ts'
import type { Deps } from './deps.ts'
import type { Action } from './events.ts'
import { accountKey } from './guard-sign-in.ts'
import { type Actor, mayNoLonger } from './may-no-longer.ts'
import { told } from './told.ts'

/** What is to change; what is left out stays. */
export interface AccountEdit extends Omit<AccountChange, 'passwordHash'> {
  readonly password?: string
}

/** How often a change starts over because the account changed under it: each time another change of it, or an end of its sessions, has got in. */
const TRIES = 10

const COME_AGAIN: Denial = { denied: 'overloaded', retryAfterSeconds: 1 }

const STATUS_REASON = {
  [STATUS.notVerified]: 'deactivated',
  [STATUS.suspended]: 'suspended',
  [STATUS.terminated]: 'terminated',
} as const

/**
 * Changes an account, and ends its sessions where the change asks for it: all of them when the account is no longer
 * active; when the password is another one, all but `by.sessionId` if that is a session of the account itself.
 * Denials: `target-unknown`, `target-terminated`, `email-taken`, `last-super-admin`, `overloaded`, and with a password those of
 * `authenticate` or `forbidden` when `by` may not any more. @throws {Overloaded}
 */
export async function changeAccount(
  deps: Deps,
  by: Action & Actor,
  accountId: number,
  { password, ...fields }: AccountEdit,
): Promise<Account | Denial> {
  let comparedWith: string | null = null
  /** Of the new password; null when there is none, or when it is the present one, which is no change and ends no session. */
  let passwordHash: string | null = null
  /** Made once, since it takes long; what it is compared with may be another one in each try. */
  let madeHash: string | null = null
  const { queue } = deps.passwords
  const place = by.accountId === accountId ? queue.ofOne(accountId) : queue
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await deps.store.findAccountWithPassword(accountId)
    if (before === null) return deny('target-unknown')
    // Hashes are slow: compared in each try, they would let other changes of the account come in between again and again.
    if (password !== undefined && before.passwordHash !== comparedWith) {
      const isUnchanged = await isPresent(deps, before, password, place)
      // Let pass as the present one, which it has ceased to be: it is judged anew.
      if (!isUnchanged && !deps.passwordPolicy.accepts(password)) return COME_AGAIN
      if (!isUnchanged) madeHash ??= await deps.passwords.hash(password, place)
      passwordHash = isUnchanged ? null : madeHash
      comparedWith = before.passwordHash
    }
    if (password !== undefined) {
      // An end of all sessions of the account itself that comes after this look changes its version, and so conflicts.
      const denial = await mayNoLonger(deps, by)
      if (denial !== null) return denial
    }
    const isNew = passwordHash !== null
    const change = passwordHash === null ? fields : { ...fields, passwordHash }
    const options = { ...ending(by, accountId, fields, isNew), ifVersion: before.version }
    const outcome = await told(deps.store.changeAccount(accountId, change, options), (done) => {
      if (done.kind !== 'changed') return
      deps.events.action({ ...by, message: by.message + changed(before, done.account) })
      for (const sessionId of done.endedSessions) {
        const message = options.endSessions?.reason ?? 'ended'
        deps.events.action({ ...by, accountId, code: 'Auth->SessionEnded', message, sessionId })
      }
    })
    if (outcome.kind === 'conflict') continue
    if (outcome.kind !== 'changed') return deny(DENIALS[outcome.kind])
    // Also when it is the present one: a try before this one may have failed here.
    if (password !== undefined) await deps.store.clearGuards(accountKey(outcome.account.email))
    return outcome.account
  }
  return COME_AGAIN
}

/** Whether an account has this password now, so that to set it is no change. @throws {Overloaded} */
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

/** What an administrator must be able to trace: who gave whom which role, who let whom in or out. */
function changed(before: Account, after: Account): string {
  const role = before.roleId === after.roleId ? '' : `; role ${before.roleId} -> ${after.roleId}`
  const status = before.status === after.status ? '' : `; status ${before.status} -> ${after.status}`
  return role + status
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
