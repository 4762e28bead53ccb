import { emailKey } from '../../core/account.ts'
import { RefusedImport } from '../refused-import.ts'
import type { ImportedAccount, ImportOutcome } from '../store.ts'
import type { Connection } from './connection.ts'
import { isDuplicate } from './errors.ts'
import { takeLegacyTokensWithin } from './legacy.ts'

const INSERT = `
  insert into accounts (account_id, first_name, last_name, email, email_key, password_hash, phone, comment, role_id,
    status, registered_at_ms, updated_at_ms, last_sign_in_at_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Imports accounts with the ids they had, all of them or none. */
export async function importAccounts(
  connection: Connection,
  accounts: readonly ImportedAccount[],
): Promise<ImportOutcome> {
  try {
    await connection.write(() => {
      countFrom(connection, accounts)
      for (const [index, account] of accounts.entries()) insert(connection, account, index)
    })
  } catch (error) {
    if (error instanceof RefusedImport) return error.refusal
    throw error
  }
  return { kind: 'imported', count: accounts.length }
}

/** Makes accounts without an id get ids greater than all given ids, whatever the order of the accounts. */
function countFrom(connection: Connection, accounts: readonly ImportedAccount[]): void {
  const greatest = accounts.reduce((most, { accountId }) => Math.max(most, accountId ?? 0), 0)
  if (greatest === 0) return
  connection.run(
    `insert into sqlite_sequence (name, seq) select 'accounts', 0
     where not exists (select 1 from sqlite_sequence where name = 'accounts')`,
  )
  connection.run("update sqlite_sequence set seq = max(seq, ?) where name = 'accounts'", greatest)
}

/** @throws {Refused} when another account has the id or address */
function insert(connection: Connection, account: ImportedAccount, index: number): void {
  try {
    connection.run(
      INSERT,
      account.accountId,
      account.firstName,
      account.lastName,
      account.email,
      emailKey(account.email),
      account.passwordHash,
      account.phone,
      account.comment,
      account.roleId,
      account.status,
      account.registeredAtMs ?? connection.clock.nowMs(),
      account.updatedAtMs,
      account.lastSignInAtMs,
    )
    if (account.takesLegacyTokens === true && account.accountId !== null)
      takeLegacyTokensWithin(connection, account.accountId)
  } catch (error) {
    if (isDuplicate(error, 'email_key'))
      throw new RefusedImport({ kind: 'refused', index, why: 'email-taken' })
    if (isDuplicate(error, 'account_id')) throw new RefusedImport({ kind: 'refused', index, why: 'id-taken' })
    throw error
  }
}
