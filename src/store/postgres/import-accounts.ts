import { emailKey } from '../../core/account.ts'
import { type Refusal, RefusedImport } from '../refused-import.ts'
import type { ImportedAccount, ImportOutcome } from '../store.ts'
import type { Connection, Sql } from './connection.ts'
import { takeLegacyTokensWithin } from './legacy.ts'

/** Rows of one statement: large enough to be quick, small enough for one message to the server. */
const ROWS_PER_STEP = 1000
/** A million accounts take about a minute. */
const IMPORT_MS = 600_000
const SEQUENCE_MS = 10_000

/** Imports accounts with the ids they had, all of them or none. */
export async function importAccounts(
  connection: Connection,
  accounts: readonly ImportedAccount[],
): Promise<ImportOutcome> {
  await keepIdsFromNewAccounts(connection, accounts)
  const repeated = firstRepetition(accounts)
  const different = repeated === null ? accounts : accounts.slice(0, repeated.index)
  try {
    await connection.transaction(async (sql) => {
      for (let start = 0; start < different.length; start += ROWS_PER_STEP) {
        const step = different.slice(start, start + ROWS_PER_STEP)
        const index = await insertStep(sql, step, connection.clock.nowMs())
        if (index === null) {
          await takeLegacyTokensWithin(sql, legacyIds(step))
          continue
        }
        const why = (await isIdTaken(sql, step[index] as ImportedAccount)) ? 'id-taken' : 'email-taken'
        throw new RefusedImport({ kind: 'refused', index: start + index, why })
      }
      if (repeated !== null) throw new RefusedImport(repeated)
    }, IMPORT_MS)
  } catch (error) {
    if (error instanceof RefusedImport) return error.refusal
    throw error
  }
  return { kind: 'imported', count: accounts.length }
}

/** Inserts accounts of different ids and addresses. Returns the index of the first one refused, or null. */
async function insertStep(sql: Sql, step: readonly ImportedAccount[], nowMs: number): Promise<number | null> {
  const column = <K extends keyof ImportedAccount>(key: K) => step.map((account) => account[key])
  const emailKeys = step.map(({ email }) => emailKey(email))
  const rows = await sql.rows(
    `insert into accounts (account_id, first_name, last_name, email, email_key, password_hash, phone, comment, role_id,
     status, registered_at_ms, updated_at_ms, last_sign_in_at_ms)
     select coalesce(v.account_id, nextval(pg_get_serial_sequence('accounts', 'account_id'))), v.first_name,
       v.last_name, v.email, v.email_key, v.password_hash, v.phone, v.comment, v.role_id, v.status,
       coalesce(v.registered_at_ms, $13), v.updated_at_ms, v.last_sign_in_at_ms
     from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::smallint[], $10::smallint[], $11::bigint[], $12::bigint[], $14::bigint[]) with ordinality
       as v(account_id, first_name, last_name, email, email_key, password_hash, phone, comment, role_id, status,
       registered_at_ms, updated_at_ms, last_sign_in_at_ms, place)
     order by v.place
     on conflict do nothing
     returning email_key`,
    column('accountId'),
    column('firstName'),
    column('lastName'),
    column('email'),
    emailKeys,
    column('passwordHash'),
    column('phone'),
    column('comment'),
    column('roleId'),
    column('status'),
    column('registeredAtMs'),
    column('updatedAtMs'),
    nowMs,
    column('lastSignInAtMs'),
  )
  if (rows.length === step.length) return null
  const inserted = new Set(rows.map(([key]) => key))
  return emailKeys.findIndex((key) => !inserted.has(key))
}

function legacyIds(accounts: readonly ImportedAccount[]): number[] {
  return accounts.flatMap(({ accountId, takesLegacyTokens }) =>
    takesLegacyTokens === true && accountId !== null ? [accountId] : [],
  )
}

async function isIdTaken(sql: Sql, account: ImportedAccount): Promise<boolean> {
  const rows = await sql.rows('select 1 from accounts where account_id = $1', account.accountId)
  return rows.length > 0
}

/**
 * Advances the id sequence past the imported ids before they are used, so that a registration at the same time never
 * gets one of them. The table lock keeps registrations out between reading and setting the sequence.
 */
async function keepIdsFromNewAccounts(
  connection: Connection,
  accounts: readonly ImportedAccount[],
): Promise<void> {
  const greatest = accounts.reduce((max, { accountId }) => Math.max(max, accountId ?? 0), 0)
  if (greatest === 0) return
  await connection.transaction(async (sql) => {
    await sql.exec('lock table accounts in share row exclusive mode')
    await sql.rows(
      `select setval(ids, $1::bigint)
       from (select pg_get_serial_sequence('accounts', 'account_id')::regclass as ids) as sequence
       where coalesce(pg_sequence_last_value(ids), 0) < $1::bigint`,
      greatest,
    )
  }, SEQUENCE_MS)
}

/** Finds the first account whose id or address occurs earlier in the same import. */
function firstRepetition(accounts: readonly ImportedAccount[]): Refusal | null {
  const ids = new Set<number>()
  const addresses = new Set<string>()
  for (const [index, { accountId, email }] of accounts.entries()) {
    const key = emailKey(email)
    if (accountId !== null && ids.has(accountId)) return { kind: 'refused', index, why: 'id-taken' }
    if (addresses.has(key)) return { kind: 'refused', index, why: 'email-taken' }
    if (accountId !== null) ids.add(accountId)
    addresses.add(key)
  }
  return null
}
