import { type Account, STATUS, changedAccount, emailKey, losesSuperAdmin } from '../../core/account.ts'
import {
  ACCOUNT_COLUMNS,
  ACCOUNT_WITH_PASSWORD_COLUMNS,
  IS_ACTIVE_SUPER_ADMIN,
  type Row,
  accountFrom,
  accountWithPasswordFrom,
  passwordHashFrom,
} from '../rows.ts'
import type { AccountStore, ChangeOutcome } from '../store.ts'
import type { CachedReads } from './cached-reads.ts'
import type { Connection } from './connection.ts'
import { isDuplicate } from './errors.ts'
import { importAccounts } from './import-accounts.ts'
import { endSessionsWithin } from './sessions.ts'

const SELECT_WITH_PASSWORD = `select ${ACCOUNT_WITH_PASSWORD_COLUMNS} from accounts`

/** The verbs about accounts; guarantees in `store.ts`. */
export function accountStore(connection: Connection, reads: CachedReads): AccountStore {
  const byId = (accountId: number) =>
    connection.row(`${SELECT_WITH_PASSWORD} where account_id = ?`, accountId)

  return {
    createAccount: (account) =>
      connection.write(() =>
        emailTakenOr(() => {
          const row = connection.row(
            `insert into accounts (first_name, last_name, email, email_key, password_hash, phone, comment, role_id,
             status, registered_at_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning ${ACCOUNT_COLUMNS}`,
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

    findAccount: (accountId) => connection.readTogether(() => reads.account(accountId)),

    async findAccountWithPassword(accountId) {
      return accountWithPasswordFrom(connection.read(() => byId(accountId)))
    },

    async findAccountByEmail(email) {
      const select = `${SELECT_WITH_PASSWORD} where email_key = ?`
      return accountWithPasswordFrom(connection.read(() => connection.row(select, emailKey(email))))
    },

    async greatestAccountId() {
      const row = connection.read(() => connection.row('select max(account_id) from accounts'))
      return (row?.[0] ?? 0) as number
    },

    async passwordHashesFrom(ids) {
      const next =
        'select account_id, password_hash from accounts where account_id >= ? order by account_id limit 1'
      return connection.read(() =>
        ids.flatMap((from) => {
          const row = connection.row(next, from)
          return row === undefined ? [] : [passwordHashFrom([from, ...row])]
        }),
      )
    },

    async listAccounts(offset, limit) {
      const select = `select ${ACCOUNT_COLUMNS} from accounts order by account_id limit ? offset ?`
      return connection.read(() => connection.rows(select, limit, offset)).map(accountFrom)
    },

    changeAccount: (accountId, change, options = {}) =>
      connection.write((): ChangeOutcome => {
        const row = byId(accountId)
        if (row === undefined) return { kind: 'unknown' }
        const before = accountFrom(row)
        if (before.status === STATUS.terminated) return { kind: 'terminated' }
        if (options.ifVersion !== undefined && options.ifVersion !== before.version)
          return { kind: 'conflict' }
        const after = changedAccount(before, change, options, connection.clock.nowMs())
        if (losesSuperAdmin(before, after) && superAdmins(connection) < 2) return { kind: 'last-super-admin' }
        const account = emailTakenOr(() => update(connection, after, change.passwordHash))
        if (account === 'email-taken') return { kind: 'email-taken' }
        const end = options.endSessions
        const endedSessions =
          end === undefined ? [] : endSessionsWithin(connection, accountId, end.reason, end.exceptSessionId)
        return { kind: 'changed', account, endedSessions }
      }),

    importAccounts: (accounts) => importAccounts(connection, accounts),
  }
}

/** Without a `passwordHash`, the password stays. */
function update(connection: Connection, after: Account, passwordHash: string | undefined): Account {
  const row = connection.row(
    `update accounts set first_name = ?, last_name = ?, email = ?, email_key = ?, phone = ?, comment = ?, role_id = ?,
     status = ?, password_hash = coalesce(?, password_hash), version = ?, updated_at_ms = ?
     where account_id = ? returning ${ACCOUNT_COLUMNS}`,
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

function superAdmins(connection: Connection): number {
  const sql = `select count(*) from (select 1 from accounts where ${IS_ACTIVE_SUPER_ADMIN} limit 2)`
  return connection.row(sql)?.[0] as number
}

function emailTakenOr<T>(work: () => T): T | 'email-taken' {
  try {
    return work()
  } catch (error) {
    if (isDuplicate(error, 'email_key')) return 'email-taken'
    throw error
  }
}
