import { type Account, ROLE, STATUS } from '../../../core/account.ts'
import type { DateFormat } from '../../../core/dates.ts'
import { type Denial, deny } from '../../../core/denial.ts'
import { type Face, USER_ID } from '../face.ts'

/** What all routes of the administration share. */
export const administration = {
  tag: 'Administration',
  credential: 'access',
  roles: [ROLE.superAdmin],
} as const

/** What routes about one account share. */
export const ofOneAccount = { ...administration, params: USER_ID } as const

/** Lets a call pass whose target exists, terminated or not. */
export async function existing(face: Face, userId: number): Promise<Denial | null> {
  return (await face.deps.store.findAccount(userId)) === null ? deny('target-unknown') : null
}

/** Lets a call pass whose target exists and may still be changed. */
export async function changeable(face: Face, userId: number): Promise<Denial | null> {
  const account = await face.deps.store.findAccount(userId)
  if (account === null) return deny('target-unknown')
  return account.status === STATUS.terminated ? deny('target-terminated') : null
}

/** An account as an administrator sees it, keys in the order of the contract. */
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
