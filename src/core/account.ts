/** The account and the closed lists of the contract (section 1): roles and statuses. */

export const ROLE = { superAdmin: 1, admin: 2, serviceProvider: 3, client: 4, developer: 5 } as const
export const STATUS = { notVerified: 0, active: 1, suspended: 2, terminated: 3 } as const

export type RoleId = (typeof ROLE)[keyof typeof ROLE]
export type AccountStatus = (typeof STATUS)[keyof typeof STATUS]

export interface Account {
  readonly accountId: number
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly phone: string
  readonly comment: string | null
  readonly pinCode: string | null
  readonly roleId: RoleId
  readonly status: AccountStatus
  /** Counts every change that must stop a sign-in which checked the state before it: password and status. */
  readonly version: number
  readonly registeredAtMs: number
  readonly updatedAtMs: number | null
  readonly lastSignInAtMs: number | null
}

/** What a new account consists of; the store gives the id and the date of registration. */
export interface NewAccount {
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly phone: string
  readonly comment: string | null
  readonly roleId: RoleId
  readonly status: AccountStatus
  readonly passwordHash: string
}

/** Of an account from elsewhere: new accounts count on from the greatest, also after a refused import, up to fifteen digits. */
export function isImportedId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) < 1e12
}

/** The form in which two e-mail addresses are compared: addresses are ASCII by rule, so lower case is enough. */
export function emailKey(email: string): string {
  return email.toLowerCase()
}
