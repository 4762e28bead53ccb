import {
  type Account,
  type AccountChange,
  STATUS,
  changedAccount,
  emailKey,
  losesSuperAdmin,
} from '../../core/account.ts'
import {
  ACCOUNT_COLUMNS,
  ACCOUNT_WITH_PASSWORD_COLUMNS,
  IS_ACTIVE_SUPER_ADMIN,
  type Row,
  accountFrom,
  accountWithPasswordFrom,
  passwordHashFrom,
} from '../rows.ts'
import type { AccountStore, ChangeOptions, ChangeOutcome } from '../store.ts'
import type { Connection, Sql } from './connection.ts'
import { endSessionsWithin } from './end-sessions.ts'
import { isDuplicate } from './errors.ts'
import { importAccounts } from './import-accounts.ts'
import { LOCK, lock } from './locks.ts'

const SELECT_WITH_PASSWORD = `select ${ACCOUNT_WITH_PASSWORD_COLUMNS} from accounts`

/** The verbs about accounts; guarantees in `store.ts`. */
export function accountStore(connection: Connection): AccountStore {
  const byId = async (accountId: number) =>
    (await connection.rows(`${SELECT_WITH_PASSWORD} where account_id = $1`, accountId))[0]

  return {
    createAccount: (account) =>
      emailTakenOr(
        connection.transaction(async (sql) => {
          const [row] = await sql.rows(
            `insert into accounts (first_name, last_name, email, email_key, password_hash, phone, comment, role_id,
             status, registered_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${ACCOUNT_COLUMNS}`,
            account.firstName,
            account.lastName,
            account.email,
            emailKey(account.email),
            account.passwordHash,
            account.phone,
            account.comment,
            account.roleId,
            account.status,
            connection.clock.nowMs(),
          )
          return accountFrom(row as Row)
        }),
      ),

    async findAccount(accountId) {
      const row = await byId(accountId)
      return row === undefined ? null : accountFrom(row)
    },

    async findAccountWithPassword(accountId) {
      return accountWithPasswordFrom(await byId(accountId))
    },

    async findAccountByEmail(email) {
      const [row] = await connection.rows(`${SELECT_WITH_PASSWORD} where email_key = $1`, emailKey(email))
      return accountWithPasswordFrom(row)
    },

    async greatestAccountId() {
      const [row] = await connection.rows('select max(account_id) from accounts')
      return (row?.[0] ?? 0) as number
    },

    async passwordHashesFrom(ids) {
      const rows = await connection.rows(
        `select i.id, a.account_id, a.password_hash from unnest($1::bigint[]) i(id),
         lateral (select account_id, password_hash from accounts where account_id >= i.id
                  order by account_id limit 1) a`,
        ids,
      )
      return rows.map(passwordHashFrom)
    },

    async listAccounts(offset, limit) {
      const rows = await connection.rows(
        `select ${ACCOUNT_COLUMNS} from accounts order by account_id limit $1 offset $2`,
        limit,
        offset,
      )
      return rows.map(accountFrom)
    },

    async changeAccount(accountId, change, options = {}) {
      const outcome = await emailTakenOr(
        connection.transaction((sql) => changeWithin(connection, sql, accountId, change, options)),
      )
      return outcome === 'email-taken' ? { kind: 'email-taken' } : outcome
    },

    importAccounts: (accounts) => importAccounts(connection, accounts),
  }
}

/**
 * Locks the account's row first, until the commit. So a sign-in either committed before, and its session is seen and
 * ended here, or comes after and finds another version.
 */
async function changeWithin(
  connection: Connection,
  sql: Sql,
  accountId: number,
  change: AccountChange,
  options: ChangeOptions,
): Promise<ChangeOutcome> {
  const [row] = await sql.rows(
    `select ${ACCOUNT_COLUMNS} from accounts where account_id = $1 for update`,
    accountId,
  )
  if (row === undefined) return { kind: 'unknown' }
  const before = accountFrom(row)
  if (before.status === STATUS.terminated) return { kind: 'terminated' }
  if (options.ifVersion !== undefined && options.ifVersion !== before.version) return { kind: 'conflict' }
  const after = changedAccount(before, change, options, connection.clock.nowMs())
  if (losesSuperAdmin(before, after) && (await isLastSuperAdmin(sql))) return { kind: 'last-super-admin' }
  const account = await update(sql, after, change.passwordHash)
  const end = options.endSessions
  const endedSessions =
    end === undefined
      ? []
      : await endSessionsWithin(connection, sql, accountId, end.reason, end.exceptSessionId)
  return { kind: 'changed', account, endedSessions }
}

/** Without a `passwordHash`, the password stays. */
async function update(sql: Sql, after: Account, passwordHash: string | undefined): Promise<Account> {
  const [row] = await sql.rows(
    `update accounts set first_name = $1, last_name = $2, email = $3, email_key = $4, phone = $5, comment = $6,
     role_id = $7, status = $8, password_hash = coalesce($9, password_hash), version = $10, updated_at_ms = $11
     where account_id = $12 returning ${ACCOUNT_COLUMNS}`,
    after.firstName,
    after.lastName,
    after.email,
    emailKey(after.email),
    after.phone,
    after.comment,
    after.roleId,
    after.status,
    passwordHash ?? null,
    after.version,
    after.updatedAtMs,
    after.accountId,
  )
  return accountFrom(row as Row)
}

/** Takes a lock first: when two super admins are demoted at the same time, the second change must see the first. */
async function isLastSuperAdmin(sql: Sql): Promise<boolean> {
  await lock(sql, LOCK.superAdmins)
  const some = await sql.rows(`select 1 from accounts where ${IS_ACTIVE_SUPER_ADMIN} limit 2`)
  return some.length < 2
}

async function emailTakenOr<T>(work: Promise<T>): Promise<T | 'email-taken'> {
  try {
    return await work
  } catch (error) {
    if (isDuplicate(error, 'accounts_email_key_key')) return 'email-taken'
    throw error
  }
}
