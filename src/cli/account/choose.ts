/** How the command line names roles, statuses and accounts. */
import { type Account, type AccountStatus, ROLE, type RoleId, STATUS } from '../../core/account.ts'
import type { Denial } from '../../core/denial.ts'
import type { Deps } from '../../usecases/deps.ts'
import { SYSTEM } from '../../core/actions.ts'
import { CommandError } from '../terminal.ts'

const ROLES: Readonly<Record<string, RoleId>> = {
  'super-admin': ROLE.superAdmin,
  admin: ROLE.admin,
  'service-provider': ROLE.serviceProvider,
  client: ROLE.client,
  developer: ROLE.developer,
}
const STATUSES: Readonly<Record<string, AccountStatus>> = {
  'not-verified': STATUS.notVerified,
  active: STATUS.active,
  suspended: STATUS.suspended,
  terminated: STATUS.terminated,
}

export const ROLE_NAMES = Object.keys(ROLES).join(', ')
export const STATUS_NAMES = Object.keys(STATUSES).join(', ')

/** The actor of everything that the command line does. */
export const BY_SYSTEM = { accountId: SYSTEM } as const

export function roleOf(text: string): RoleId {
  return choose(ROLES, text, 'role')
}

export function statusOf(text: string): AccountStatus {
  return choose(STATUSES, text, 'status')
}

export function roleName(roleId: RoleId): string {
  return nameOf(ROLES, roleId)
}

export function statusName(status: AccountStatus): string {
  return nameOf(STATUSES, status)
}

/** The account with an id or an e-mail address. @throws {CommandError} when there is none */
export async function findAccount(deps: Deps, idOrEmail: string): Promise<Account> {
  const isId = /^[1-9]\d{0,14}$/.test(idOrEmail)
  const account = isId
    ? await deps.store.findAccount(Number(idOrEmail))
    : await deps.store.findAccountByEmail(idOrEmail)
  if (account === null)
    throw new CommandError(`there is no account ${idOrEmail}: \`duktig account list\` shows them all`)
  return account
}

const DENIALS: Partial<Record<Denial['denied'], string>> = {
  'email-taken': 'this e-mail address is registered already; choose another one',
  'last-super-admin': 'this is the last active super admin; make another one first',
  'target-terminated': 'this account is terminated, and stays so',
  'try-again': 'somebody else was changing this account at the same time, and nothing was changed: try again',
  'target-unknown': 'there is no such account',
}

export function refused(denial: Denial): CommandError {
  return new CommandError(DENIALS[denial.denied] ?? `refused: ${denial.denied}`)
}

/** The value that `text` gives, either by its name or as a number. */
function choose<T extends number>(names: Readonly<Record<string, T>>, text: string, what: string): T {
  const named = Object.hasOwn(names, text) ? names[text] : undefined
  const value = named ?? Object.values(names).find((number) => String(number) === text)
  if (value === undefined)
    throw new CommandError(`no such ${what}: ${text}; there are ${Object.keys(names).join(', ')}`)
  return value
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value)
}
