/** The account, and the contract's closed lists of roles and statuses (section 1). */

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
  /**
   * Raised by every change of password or status and by every end of all sessions: a sign-in that checked an earlier
   * version opens no session.
   */
  readonly version: number
  readonly registeredAtMs: number
  readonly updatedAtMs: number | null
  readonly lastSignInAtMs: number | null
}

/** The data of a new account; the store adds the id and the date of registration. */
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

/** The fields of an account to change; those left out stay as they are. */
export interface AccountChange {
  readonly firstName?: string
  readonly lastName?: string
  readonly email?: string
  readonly phone?: string
  readonly comment?: string | null
  readonly roleId?: RoleId
  readonly status?: AccountStatus
  readonly passwordHash?: string
}

/**
 * The account after a change at `nowMs`. A new password or status raises the version. A silent change, such as a better
 * hash of the same password, leaves version and date of update as they are.
 */
export function changedAccount(
  before: Account,
  { passwordHash, ...fields }: AccountChange,
  { silent = false }: { readonly silent?: boolean },
  nowMs: number,
): Account {
  const after = { ...before, ...fields }
  if (silent) return after
  const secured = passwordHash !== undefined || after.status !== before.status
  return { ...after, version: before.version + (secured ? 1 : 0), updatedAtMs: nowMs }
}

/** Whether a change takes an active super admin away; the last one must stay. */
export function losesSuperAdmin(before: Account, after: Account): boolean {
  return isActiveSuperAdmin(before) && !isActiveSuperAdmin(after)
}

function isActiveSuperAdmin({ roleId, status }: Account): boolean {
  return roleId === ROLE.superAdmin && status === STATUS.active
}

/**
 * Whether an imported account may have this id: at most 12 digits. Ids of new accounts continue from the greatest
 * imported id (on PostgreSQL even if the import was refused) and must stay within 15 digits.
 */
export function isImportedId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) < 1e12
}

/** The form in which e-mail addresses are compared. Addresses are always ASCII, so lower case is enough. */
export function emailKey(email: string): string {
  return email.toLowerCase()
}
