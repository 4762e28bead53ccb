/**
 * Sessions and accounts, which every request reads, kept in memory so that most reads need not search the database
 * (docs/decisions/0020). The cache misses no change of a row: triggers report changes by this connection, the version
 * of the database reveals changes by other connections, and when a transaction is rolled back, everything is forgotten.
 */
import os from 'node:os'
import type { Account } from '../../core/account.ts'
import { digitsOf } from '../../core/digits.ts'
import type { Session, SessionAccount, SessionView } from '../../core/session.ts'
import {
  ACCOUNT_COLUMNS,
  ACCOUNT_WIDTH,
  type Row,
  SESSION_ACCOUNT_WIDTH,
  SESSION_AND_ACCOUNT_COLUMNS,
  SESSION_VIEW_SOURCE,
  SESSION_WIDTH,
  accountFrom,
  sessionAccountFrom,
  sessionFrom,
  sessionRow,
} from '../rows.ts'
import { applicationKept } from './applications.ts'
import type { Connection } from './connection.ts'
import type { Follower } from './follower.ts'
import type { RotationLog } from './rotation-log.ts'
import { RowCache } from './row-cache.ts'

const SELECT_BOTH = `select ${SESSION_AND_ACCOUNT_COLUMNS} from ${SESSION_VIEW_SOURCE} where s.session_id = ?`
const SELECT_ACCOUNT = `select ${ACCOUNT_COLUMNS} from accounts where account_id = ?`
/**
 * Updates that raise the generation need no report: only settling a rotation raises it, and that makes the row what the
 * cache already holds. `insert or replace` would not fire these triggers; no statement uses it on these tables.
 */
const TRIGGERS = `
  create temp trigger session_changed after update on main.sessions when new.generation = old.generation
    begin select forget_session(old.session_id); end;
  create temp trigger session_removed after delete on main.sessions
    begin select forget_session(old.session_id); end;
  create temp trigger account_changed after update on main.accounts
    begin select forget_account(old.account_id); end;
  create temp trigger account_removed after delete on main.accounts
    begin select forget_account(old.account_id); end;`
/** Room for about a million sessions and half a million accounts. */
const MOST_BYTES = 384 * 2 ** 20
const SHARE_OF_MEMORY = 1 / 8
const SESSIONS_SHARE = 0.7

export class CachedReads implements Follower {
  readonly #connection: Connection
  readonly #rotations: RotationLog
  /** Sessions as `RotationLog.current` returns them. */
  readonly #sessions: RowCache
  readonly #accounts: RowCache
  /** The version of the database that the cached rows belong to. */
  #version: number | null = null
  #isCurrent = false

  constructor(connection: Connection, rotations: RotationLog, mostBytes = memoryBytes()) {
    this.#connection = connection
    this.#rotations = rotations
    this.#sessions = new RowCache(mostBytes * SESSIONS_SHARE, SESSION_WIDTH)
    this.#accounts = new RowCache(mostBytes * (1 - SESSIONS_SHARE), ACCOUNT_WIDTH)
    connection.define('forget_session', (sessionId) => this.#sessions.delete(sessionId as string))
    connection.define('forget_account', (accountId) => this.#accounts.delete(digitsOf(accountId as number)))
    connection.exec(TRIGGERS)
    connection.follow(this)
  }

  /**
   * A session with its account and application; inside a transaction. Work in a savepoint must not call this after
   * changing one of these rows: the cache does not notice a rollback to the savepoint.
   */
  view(sessionId: string): SessionView | null {
    return this.#look(sessionId, SESSION_ACCOUNT_WIDTH, sessionAccountFrom)
  }

  /** As `view`, with the whole account. */
  wholeView(sessionId: string): SessionView<Account> | null {
    return this.#look(sessionId, ACCOUNT_WIDTH, accountFrom)
  }

  /** An account; inside a transaction, under the same condition as `view`. */
  account(accountId: number): Account | null {
    this.#catchUp()
    const row = this.#accountRow(accountId, ACCOUNT_WIDTH)
    return row === null ? null : accountFrom(row)
  }

  /** Takes in a session that the current transaction has viewed and has just appended to the rotation log. */
  appended(session: Session): void {
    this.#sessions.put(session.sessionId, sessionRow(session))
  }

  /** Drops the rows that no request has asked for since the previous call, and frees their memory. */
  age(): void {
    this.#sessions.age()
    this.#accounts.age()
  }

  begun(): void {
    this.#isCurrent = false
  }

  undone(): void {
    this.#clear()
  }

  /** Forgets everything if another connection has committed; checked once in each transaction. */
  #catchUp(): void {
    if (this.#isCurrent) return
    const version = this.#connection.dataVersion()
    if (version !== this.#version) this.#clear()
    this.#version = version
    this.#isCurrent = true
  }

  #clear(): void {
    this.#sessions.clear()
    this.#accounts.clear()
  }

  #look<A extends SessionAccount>(
    sessionId: string,
    columns: number,
    accountOf: (row: Row) => A,
  ): SessionView<A> | null {
    this.#catchUp()
    const row = this.#sessions.get(sessionId)
    if (row === undefined) return this.#readBoth(sessionId, accountOf)
    const session = sessionFrom(row)
    return this.#viewOf(session, this.#accountRow(session.accountId, columns), accountOf)
  }

  #readBoth<A extends SessionAccount>(sessionId: string, accountOf: (row: Row) => A): SessionView<A> | null {
    const row = this.#connection.sql(SELECT_BOTH).get(sessionId) as Row | undefined
    if (row === undefined) return null
    const session = this.#rotations.current(sessionFrom(row))
    this.#sessions.put(sessionId, sessionRow(session))
    return this.#viewOf(session, this.#kept(row.slice(SESSION_WIDTH)), accountOf)
  }

  /** An account's row, with at least the first `columns` columns. */
  #accountRow(accountId: number, columns: number): Row | null {
    const known = this.#accounts.get(digitsOf(accountId), columns)
    return known ?? this.#kept(this.#connection.sql(SELECT_ACCOUNT).get(accountId) as Row | undefined)
  }

  #kept(account: Row | undefined): Row | null {
    const accountId = (account?.[0] ?? null) as number | null
    if (account === undefined || accountId === null) return null
    this.#accounts.put(digitsOf(accountId), account)
    return account
  }

  #viewOf<A extends SessionAccount>(
    session: Session,
    account: Row | null,
    accountOf: (row: Row) => A,
  ): SessionView<A> {
    return {
      session,
      account: account === null ? null : accountOf(account),
      application: applicationKept(this.#connection, session.applicationId),
    }
  }
}

/** A share of the memory that the process may use, which in a container is less than the machine has. */
function memoryBytes(): number {
  const allowed = process.constrainedMemory() || Number.MAX_SAFE_INTEGER
  return Math.min(MOST_BYTES, SHARE_OF_MEMORY * Math.min(allowed, os.totalmem()))
}
