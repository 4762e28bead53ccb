import { type Account, ROLE, STATUS } from '../../../core/account.ts'
import type { DateFormat } from '../../../core/dates.ts'
import { type Denial, deny } from '../../../core/denial.ts'
import { type Face, USER_ID } from '../face.ts'

/** What all administration routes share. */
export const administration = {
  tag: 'Administration',
  credential: 'access',
  roles: [ROLE.superAdmin],
} as const

/** What all administration routes about a single account share. */
export const ofOneAccount = { ...administration, params: USER_ID } as const

/** Null if the target account exists, terminated or not. Denials: `target-unknown`. */
export async function existing(face: Face, userId: number): Promise<Denial | null> {
  return (await face.deps.store.findAccount(userId)) === null ? deny('target-unknown') : null
}

/** Null if the target account exists and may still be changed. Denials: `target-unknown`, `target-terminated`. */
export async function changeable(face: Face, userId: number): Promise<Denial | null> {
  const account = await face.deps.store.findAccount(userId)
  if (account === null) return deny('target-unknown')
  return account.status === STATUS.terminated ? deny('target-terminated') : null
}

/** An account as an administrator sees it, with the keys in the order of the contract. */
export function accountBody(account: Account, dates: DateFormat): object {
  return {
    userId: account.accountId,
    firstName: account.firstName,
    lastName: account.lastName,
    email: account.email,
    phone: account.phone,
    comment: account.comment,
    dateRegistered: dates.format(account.registeredAtMs),
    dateLastUpdate: dates.format(account.updatedAtMs),
    dateLastLogin: dates.format(account.lastSignInAtMs),
    roleId: account.roleId,
    status: account.status,
  }
}
