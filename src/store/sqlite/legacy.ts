import { type Application, DEFAULT_APPLICATION_ID } from '../../core/application.ts'
import { type LegacyAccount, legacyDenial } from '../../core/legacy.ts'
import { LIMITS } from '../../settings/limits.ts'
import {
  LATER_ACCOUNTS,
  type LegacyStore,
  NO_VERSION,
  type OpenLegacySession,
  type OpenLegacySessionOutcome,
} from '../legacy-store.ts'
import { ACCOUNT_COLUMNS, accountFrom } from '../rows.ts'
import { applicationWithin } from './applications.ts'
import type { Connection } from './connection.ts'
import type { RotationLog } from './rotation-log.ts'
import { insertSessionWithin, makeRoomWithin } from './sessions.ts'

const TAKE_TOKENS = `
  insert into legacy_accounts (account_id, version, application_epoch)
    select account_id, version,
      coalesce((select epoch from applications where application_id = ${DEFAULT_APPLICATION_ID}), 1)
    from accounts where account_id = ?
      and not exists (select 1 from legacy_accounts where account_id = ${LATER_ACCOUNTS})
    on conflict do nothing`

const REFUSE_TOKENS = `
  insert into legacy_accounts (account_id, version, application_epoch) select ?1, ${NO_VERSION}, 0`

/** The verbs about refresh tokens of the original; guarantees in `legacy-store.ts`. */
export function legacyStore(connection: Connection, rotations: RotationLog): LegacyStore {
  return {
    async knowsLegacySession(sessionId) {
      return connection.read(() => isKnown(connection, sessionId))
    },

    async findLegacyAccount(accountId) {
      return connection.read(() => legacyAccountWithin(connection, accountId))
    },

    openLegacySession: (request) => connection.write(() => open(connection, rotations, request)),

    removeOldLegacySessions: (expiredBeforeMs, limit) =>
      connection.write(() =>
        connection.run(
          `delete from legacy_sessions where session_id in
           (select session_id from legacy_sessions where expires_at_ms < ? order by expires_at_ms limit ?)`,
          expiredBeforeMs,
          limit,
        ),
      ),
  }
}

/**
 * Records, inside the caller's transaction, the state in which an account was taken over from the original, unless a
 * recovery has refused its tokens.
 */
export function takeLegacyTokensWithin(connection: Connection, accountId: number): void {
  connection.run(TAKE_TOKENS, accountId)
}

/**
 * After a restore, inside the caller's transaction, for a session that ended after the backup was made. If the session
 * was also opened after the backup, with a refresh token of the original, that token must not open it again. The backup
 * may be older than the import of the account, and no id tells what session it is of, so this is remembered of all.
 */
export function keepLegacySessionEndedWithin(
  connection: Connection,
  sessionId: string,
  endedAtMs: number,
): void {
  connection.run(
    `insert into legacy_sessions (session_id, expires_at_ms)
     select ?1, ?2 where not exists (select 1 from sessions where session_id = ?1) on conflict do nothing`,
    sessionId,
    endedAtMs + LIMITS.legacyTokenMemoryMs,
  )
}

/**
 * For a restore, inside the caller's transaction: an account whose sessions ended after the backup was made. If the
 * backup is older than the import of the account, the next import must not take its tokens.
 */
export function refuseLegacyTokensOfWithin(connection: Connection, accountId: number): void {
  connection.run(
    `${REFUSE_TOKENS} where not exists (select 1 from accounts where account_id = ?1) on conflict do nothing`,
    accountId,
  )
}

/**
 * For a restore that ends all sessions, inside the caller's transaction: tokens of the original open no new ones, nor do
 * those of accounts that are imported later.
 */
export function refuseLegacyTokensWithin(connection: Connection): void {
  connection.run('delete from legacy_accounts')
  connection.run(REFUSE_TOKENS, LATER_ACCOUNTS)
}

/**
 * For a restore, inside the caller's transaction, before an application gets an epoch: if that is a later one, the
 * application was disabled after the backup was made, which ended all its sessions.
 */
export function refuseLegacyTokensBeforeEpochWithin(
  connection: Connection,
  applicationId: number,
  epoch: number,
): void {
  if (applicationId !== DEFAULT_APPLICATION_ID) return
  const known = connection.row('select epoch from applications where application_id = ?', applicationId)
  if (epoch > ((known?.[0] ?? 1) as number)) refuseLegacyTokensWithin(connection)
}

function isKnown(connection: Connection, sessionId: string): boolean {
  return connection.row('select 1 from legacy_sessions where session_id = ?', sessionId) !== undefined
}

function legacyAccountWithin(connection: Connection, accountId: number): LegacyAccount | null {
  const row = connection.row(
    `select ${ACCOUNT_COLUMNS}, (select l.application_epoch from legacy_accounts l
       where l.account_id = accounts.account_id and l.version = accounts.version)
     from accounts where account_id = ?`,
    accountId,
  )
  if (row === undefined) return null
  return { account: accountFrom(row), applicationEpoch: row.at(-1) as number | null }
}

function open(
  connection: Connection,
  rotations: RotationLog,
  request: OpenLegacySession,
): OpenLegacySessionOutcome {
  if (isKnown(connection, request.sessionId)) return { kind: 'known' }
  const found = legacyAccountWithin(connection, request.accountId)
  const application = applicationWithin(connection, request.application.applicationId)
  const denial = legacyDenial(request, found, application)
  if (denial !== null) return { kind: 'refused', denial }
  const nowMs = connection.clock.nowMs()
  const endedSessions = makeRoomWithin(connection, rotations, request, nowMs)
  const { sessionId, expiresAtMs } = request
  insertSessionWithin(
    connection,
    request,
    { ...(application as Application), rotation: false },
    expiresAtMs,
    nowMs,
  )
  connection.run(
    'insert into legacy_sessions (session_id, expires_at_ms) values (?, ?)',
    sessionId,
    expiresAtMs,
  )
  return { kind: 'opened', endedSessions }
}
