import { SYSTEM } from '../core/actions.ts'
import { ROLE, type RoleId, STATUS, type AccountStatus, isImportedId } from '../core/account.ts'
import { LENGTHS, hasLength, isEmail } from '../core/account-fields.ts'
import type { DateFormat } from '../core/dates.ts'
import { isKnownHash } from '../passwords/passwords.ts'
import type { ImportOutcome, ImportedAccount } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** A line that cannot be imported; `line` counts from 1. */
export interface BadLine {
  readonly line: number
  readonly reason: string
}

const KEYS = [
  'userId',
  'firstName',
  'lastName',
  'email',
  'password',
  'passwordHash',
  'phone',
  'comment',
  'roleId',
  'status',
  'dateRegistered',
  'dateLastUpdate',
  'dateLastLogin',
]

const REFUSALS = {
  'email-taken': 'the e-mail address is registered already',
  'id-taken': 'the userId is taken already',
}

/**
 * Imports accounts from JSON lines, all of them or none: the first line that cannot be imported stops the import.
 * `progress` is told after each line how many accounts are ready. Returns the number imported, or the bad line.
 */
export async function importAccounts(
  deps: Deps,
  lines: AsyncIterable<string>,
  dates: DateFormat,
  progress: (ready: number) => void,
): Promise<number | BadLine> {
  const accounts: ImportedAccount[] = []
  const lineOf: number[] = []
  let line = 0
  for await (const text of lines) {
    line++
    if (text.trim() === '') continue
    const account = await accountOf(deps, text, dates)
    if (typeof account === 'string') return { line, reason: account }
    accounts.push(account)
    lineOf.push(line)
    progress(accounts.length)
  }
  const outcome = await writeImported(deps, accounts)
  if (outcome.kind === 'imported') return outcome.count
  return { line: lineOf[outcome.index] ?? 0, reason: REFUSALS[outcome.why] }
}

/** Writes accounts that come from elsewhere: all of them, or none. */
export async function writeImported(
  { store, events }: Deps,
  accounts: readonly ImportedAccount[],
): Promise<ImportOutcome> {
  const outcome = await store.importAccounts(accounts)
  if (outcome.kind === 'imported') {
    const message = `Accounts imported: ${outcome.count}`
    events.action({ accountId: SYSTEM, code: 'Users->registerAccount', message })
  }
  return outcome
}

/** The account of a line, or what is wrong with it. */
async function accountOf(deps: Deps, text: string, dates: DateFormat): Promise<ImportedAccount | string> {
  const parsed = parseLine(text)
  if (typeof parsed === 'string') return parsed
  const { firstName, lastName, email, phone, password, passwordHash, userId } = parsed
  const comment = parsed['comment'] ?? null
  if (!hasLength(firstName, LENGTHS.firstName)) return wrongLength('firstName')
  if (!hasLength(lastName, LENGTHS.lastName)) return wrongLength('lastName')
  if (!isEmail(email)) return 'email must be a valid address'
  if (!hasLength(phone, LENGTHS.phone)) return wrongLength('phone')
  if (comment !== null && !hasLength(comment, LENGTHS.comment)) return wrongLength('comment')
  const roleId = parsed['roleId'] ?? ROLE.client
  if (!Object.values(ROLE).some((role) => role === roleId)) return `roleId must be ${oneOf(ROLE)}`
  const status = parsed['status'] ?? STATUS.notVerified
  if (!Object.values(STATUS).some((known) => known === status)) return `status must be ${oneOf(STATUS)}`
  if (userId !== undefined && userId !== null && !isImportedId(userId)) {
    return 'userId must be a whole number from 1 to 999999999999'
  }
  const times = timesOf(parsed, dates)
  if (typeof times === 'string') return times
  const hashed = await hashOf(deps, password ?? null, passwordHash ?? null)
  if (typeof hashed === 'string') return hashed
  return {
    accountId: userId ?? null,
    firstName,
    lastName,
    email,
    phone,
    comment,
    roleId: roleId as RoleId,
    status: status as AccountStatus,
    passwordHash: hashed.hash,
    ...times,
  }
}

function wrongLength(field: keyof typeof LENGTHS): string {
  const [min, max] = LENGTHS[field]
  return `${field} must have ${min === 0 ? 'at most' : `${min} to`} ${max} characters`
}

function oneOf(numbers: Readonly<Record<string, number>>): string {
  return `one of: ${Object.values(numbers).join(', ')}`
}

const NO_OBJECT =
  'this is no JSON object: each line must hold a whole one, with the fields that docs/operate.md lists'

function parseLine(text: string): Record<string, unknown> | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return NO_OBJECT
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NO_OBJECT
  const extra = Object.keys(value).filter((key) => !KEYS.includes(key))
  if (extra.length > 0) return `unknown key ${JSON.stringify(extra[0])}; allowed are ${KEYS.join(', ')}`
  return value as Record<string, unknown>
}

type Times = Pick<ImportedAccount, 'registeredAtMs' | 'updatedAtMs' | 'lastSignInAtMs'>

function timesOf(parsed: Record<string, unknown>, dates: DateFormat): Times | string {
  const times: Record<string, number | null> = {}
  for (const key of ['dateRegistered', 'dateLastUpdate', 'dateLastLogin']) {
    const text = parsed[key] ?? null
    const time = typeof text === 'string' ? dates.parse(text) : null
    if (text !== null && time === null) return `${key} must be a date such as 2019-07-21 00:09:07`
    times[key] = time
  }
  return {
    registeredAtMs: times['dateRegistered'] ?? null,
    updatedAtMs: times['dateLastUpdate'] ?? null,
    lastSignInAtMs: times['dateLastLogin'] ?? null,
  }
}

/** The hash to store, or what is wrong. A key that the line leaves out is null here. */
async function hashOf(
  deps: Deps,
  password: unknown,
  passwordHash: unknown,
): Promise<{ readonly hash: string } | string> {
  if ((password === null) === (passwordHash === null))
    return 'give either password (plain text) or passwordHash (argon2id or bcrypt), not both'
  if (password !== null) {
    if (deps.passwordPolicy.accepts(password)) return { hash: await deps.passwords.hash(password) }
    return `password must have ${deps.passwordPolicy.demand}`
  }
  if (typeof passwordHash === 'string' && isKnownHash(passwordHash)) return { hash: passwordHash }
  return 'passwordHash cannot be checked here: it must be argon2id (at most 256 MiB, 10 passes, 16 lanes) or bcrypt (cost 4 to 16)'
}
