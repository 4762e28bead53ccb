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
import { ACCOUNT_COLUMNS, APPLICATION_COLUMNS, type Row, accountFrom, applicationFrom } from '../rows.ts'
import type { Connection, Sql } from './connection.ts'
import { insertSession, makeRoom } from './open-session.ts'

const SELECT_LEGACY_ACCOUNT = `
  select ${ACCOUNT_COLUMNS}, (select l.application_epoch from legacy_accounts l
    where l.account_id = accounts.account_id and l.version = accounts.version)
  from accounts where account_id = $1`

const REFUSE_TOKENS = `
  insert into legacy_accounts (account_id, version, application_epoch) select $1::bigint, ${NO_VERSION}, 0`

/** The verbs about refresh tokens of the original; guarantees in `legacy-store.ts`. */
export function legacyStore(connection: Connection): LegacyStore {
  return {
    knowsLegacySession: (sessionId) => isKnown(connection, sessionId),

    async findLegacyAccount(accountId) {
      const [row] = await connection.rows(SELECT_LEGACY_ACCOUNT, accountId)
      return legacyAccountFrom(row)
    },

    openLegacySession: (request) => connection.transaction((sql) => openWithin(connection, sql, request)),

    removeOldLegacySessions: (expiredBeforeMs, limit) =>
      connection.transaction((sql) =>
        sql.count(
          `delete from legacy_sessions where session_id = any(array(
             select session_id from legacy_sessions where expires_at_ms < $1
             order by expires_at_ms limit $2 for update skip locked))`,
          expiredBeforeMs,
          limit,
        ),
      ),
  }
}

/**
 * Remembers, inside the caller's transaction, the state in which accounts were imported, except of those whose tokens a
 * recovery has refused.
 */
export async function takeLegacyTokensWithin(sql: Sql, accountIds: readonly number[]): Promise<void> {
  if (accountIds.length === 0) return
  await sql.rows(
    `insert into legacy_accounts (account_id, version, application_epoch)
     select account_id, version,
       coalesce((select epoch from applications where application_id = ${DEFAULT_APPLICATION_ID}), 1)
     from accounts where account_id = any($1::bigint[])
       and not exists (select 1 from legacy_accounts where account_id = ${LATER_ACCOUNTS})
     on conflict do nothing`,
    accountIds,
  )
}

/**
 * After a restore, inside the caller's transaction, for a session that ended after the backup was made: if it stood for
 * a token of the original and was opened after the backup too, the token must not open it again. The account may be
 * imported only later, and ids of sessions look alike, so this is remembered of every session.
 */
export async function keepLegacySessionEndedWithin(
  sql: Sql,
  sessionId: string,
  endedAtMs: number,
): Promise<void> {
  await sql.rows(
    `insert into legacy_sessions (session_id, expires_at_ms)
     select $1::text, $2::bigint where not exists (select 1 from sessions where session_id = $1::text)
     on conflict do nothing`,
    sessionId,
    endedAtMs + LIMITS.legacyTokenMemoryMs,
  )
}

/**
 * After a restore, inside the caller's transaction, for an account whose sessions ended after the backup was made: if
 * the backup is older than its import, the next import must not take its tokens.
 */
export async function refuseLegacyTokensOfWithin(sql: Sql, accountId: number): Promise<void> {
  await sql.rows(
    `${REFUSE_TOKENS} where not exists (select 1 from accounts where account_id = $1::bigint)
     on conflict do nothing`,
    accountId,
  )
}

/**
 * After a restore that ends all sessions, inside the caller's transaction: legacy tokens must open none either, nor must
 * those of accounts that are imported later.
 */
export async function refuseLegacyTokensWithin(sql: Sql): Promise<void> {
  await sql.rows('delete from legacy_accounts')
  await sql.rows(REFUSE_TOKENS, LATER_ACCOUNTS)
}

/**
 * After a restore, inside the caller's transaction, before an application gets an epoch: a later one means that the
 * application was disabled after the backup was made, which ended all its sessions.
 */
export async function refuseLegacyTokensBeforeEpochWithin(
  sql: Sql,
  applicationId: number,
  epoch: number,
): Promise<void> {
  if (applicationId !== DEFAULT_APPLICATION_ID) return
  const [known] = await sql.rows('select epoch from applications where application_id = $1', applicationId)
  if (epoch > ((known?.[0] ?? 1) as number)) await refuseLegacyTokensWithin(sql)
}

async function isKnown(sql: Pick<Sql, 'rows'>, sessionId: string): Promise<boolean> {
  return (await sql.rows('select 1 from legacy_sessions where session_id = $1', sessionId)).length > 0
}

function legacyAccountFrom(row: Row | undefined): LegacyAccount | null {
  if (row === undefined) return null
  return { account: accountFrom(row), applicationEpoch: row.at(-1) as number | null }
}

/**
 * Locks the account's row first, until the commit. So of several first uses of a token, one opens the session and the
 * others find it; and whoever ends the account's sessions either was first or finds this one.
 */
async function openWithin(
  connection: Connection,
  sql: Sql,
  request: OpenLegacySession,
): Promise<OpenLegacySessionOutcome> {
  const [accountRow] = await sql.rows(`${SELECT_LEGACY_ACCOUNT} for no key update`, request.accountId)
  if (await isKnown(sql, request.sessionId)) return { kind: 'known' }
  const found = legacyAccountFrom(accountRow)
  const [applicationRow] = await sql.rows(
    `select ${APPLICATION_COLUMNS} from applications p where p.application_id = $1 for share`,
    request.application.applicationId,
  )
  const application = applicationRow === undefined ? null : applicationFrom(applicationRow)
  const denial = legacyDenial(request, found, application)
  if (denial !== null) return { kind: 'refused', denial }
  const nowMs = connection.clock.nowMs()
  const endedSessions = await makeRoom(sql, request, nowMs)
  // Sessions of the original do not rotate, because its clients never store a new token.
  const policy = { ...(application as Application), rotation: false }
  const known = 'insert into legacy_sessions (session_id, expires_at_ms) values ($1, $8)'
  const { expiresAtMs } = request
  await insertSession(sql, request, { application: policy, expiresAtMs, nowMs }, known)
  return { kind: 'opened', endedSessions }
}
