import { emailKey, isImportedId } from '../core/account.ts'
import type { DateFormat } from '../core/dates.ts'
import { nobodysHash } from '../passwords/decoys.ts'
import { LIMITS } from '../settings/limits.ts'
import type { ImportedAccount } from '../store/store.ts'
import type { Deps } from './deps.ts'
import { writeImported } from './import-accounts.ts'
import { type Converted, type DuktigPhpUser, NOTES, type Note, convertUser } from './duktig-php-user.ts'

/** A reason why the import as a whole is refused. */
export interface Conflict {
  readonly userId: number
  readonly why: 'no-email' | 'bad-id' | 'id-twice' | 'email-twice' | 'id-taken' | 'email-taken'
  /**
   * The conflicting account: one of the original for `id-twice` and `email-twice`, one of ours for `id-taken` and
   * `email-taken`. Null for the other reasons, and where it is not known.
   */
  readonly otherId: number | null
}

export interface DuktigPhpReport {
  readonly count: number
  /** User ids by note, in the order of `NOTES`; notes that apply to nobody are left out. */
  readonly notes: ReadonlyMap<Note, readonly number[]>
  /** If there are any, nothing was imported. */
  readonly conflicts: readonly Conflict[]
}

/** Passwords handed to the bounded queue at a time; the queue hashes as many at once as there are processors. */
const HASHES_TOGETHER = 16

/**
 * Imports the accounts of the PHP original with their ids, dates and bcrypt hashes: all of them, or none. Passwords
 * that were stored there in plain text are hashed on the way. `dryRun` does everything except hashing and writing;
 * `progress` is told how many passwords have been hashed. A second import is refused, since the ids are taken.
 */
export async function importDuktigPhp(
  deps: Deps,
  users: readonly DuktigPhpUser[],
  dates: DateFormat,
  { dryRun, progress }: { readonly dryRun: boolean; progress(hashed: number, ofAll: number): void },
): Promise<DuktigPhpReport> {
  const converted = users.map((user) => convertUser(user, dates))
  const report = { count: users.length, notes: notesOf(converted) }
  const conflicts = [...conflictsAmong(converted), ...(await conflictsWithStore(deps, converted))]
  if (dryRun || conflicts.length > 0) return { ...report, conflicts }
  const accounts = await withHashes(deps, converted, progress)
  const outcome = await writeImported(deps, accounts)
  if (outcome.kind === 'imported') return { ...report, conflicts: [] }
  // Another account took the id or the address while the passwords were hashed.
  const userId = accounts[outcome.index]?.accountId ?? 0
  return { ...report, conflicts: [{ userId, why: outcome.why, otherId: null }] }
}

function notesOf(converted: readonly Converted[]): ReadonlyMap<Note, readonly number[]> {
  const byNote = new Map<Note, number[]>()
  for (const note of Object.keys(NOTES) as Note[]) {
    const ids = converted.filter(({ notes }) => notes.includes(note)).map(idOf)
    if (ids.length > 0) byNote.set(note, ids)
  }
  return byNote
}

/**
 * Accounts of the original that conflict with one another. Our store compares e-mail addresses by `emailKey`, which not
 * every database of the original did.
 */
function conflictsAmong(converted: readonly Converted[]): readonly Conflict[] {
  const conflicts: Conflict[] = []
  const ids = new Set<number>()
  const owners = new Map<string, number>()
  for (const each of converted) {
    const userId = idOf(each)
    const key = emailKey(each.account.email)
    if (!isImportedId(userId)) conflicts.push({ userId, why: 'bad-id', otherId: null })
    else if (ids.has(userId)) conflicts.push({ userId, why: 'id-twice', otherId: userId })
    if (key === '') conflicts.push({ userId, why: 'no-email', otherId: null })
    else if (owners.has(key)) conflicts.push({ userId, why: 'email-twice', otherId: owners.get(key) ?? null })
    ids.add(userId)
    owners.set(key, owners.get(key) ?? userId)
  }
  return conflicts
}

/**
 * All conflicts with accounts of ours at once, so that an operator need not find them one by one. The store checks
 * again when it writes.
 */
async function conflictsWithStore(
  { store }: Deps,
  converted: readonly Converted[],
): Promise<readonly Conflict[]> {
  const ids = new Set(converted.map(idOf))
  const owners = new Map(converted.map((each) => [emailKey(each.account.email), idOf(each)]))
  const conflicts: Conflict[] = []
  for (let offset = 0; ; offset += LIMITS.accountsListed) {
    const accounts = await store.listAccounts(offset, LIMITS.accountsListed)
    for (const { accountId, email } of accounts) {
      const owner = owners.get(emailKey(email))
      if (ids.has(accountId)) conflicts.push({ userId: accountId, why: 'id-taken', otherId: accountId })
      else if (owner !== undefined) conflicts.push({ userId: owner, why: 'email-taken', otherId: accountId })
    }
    if (accounts.length < LIMITS.accountsListed) return conflicts
  }
}

async function withHashes(
  deps: Deps,
  converted: readonly Converted[],
  progress: (hashed: number, ofAll: number) => void,
): Promise<readonly ImportedAccount[]> {
  const ofAll = converted.filter(({ password }) => password.kind === 'plain').length
  const accounts: ImportedAccount[] = []
  let hashed = 0
  for (let start = 0; start < converted.length; start += HASHES_TOGETHER) {
    const group = converted.slice(start, start + HASHES_TOGETHER)
    const ready = group.map(async ({ account, password }) => ({
      ...account,
      passwordHash: await hashOf(deps, password),
    }))
    accounts.push(...(await Promise.all(ready)))
    const plain = group.filter(({ password }) => password.kind === 'plain').length
    hashed += plain
    if (plain > 0) progress(hashed, ofAll)
  }
  return accounts
}

async function hashOf(deps: Deps, password: Converted['password']): Promise<string> {
  switch (password.kind) {
    case 'hash':
      return password.hash
    case 'plain':
      return deps.passwords.hash(password.password)
    case 'none':
      return nobodysHash()
  }
}

function idOf({ account }: Converted): number {
  return account.accountId ?? 0
}
