import { STATUS } from '../../core/account.ts'
import type { Application } from '../../core/application.ts'
import { type NewSession, type Session, newSessionEndMs } from '../../core/session.ts'
import { ACCOUNT_COLUMNS, APPLICATION_COLUMNS, type Row, SESSION_COLUMNS } from '../rows.ts'
import { accountFrom, applicationFrom, isServed, sessionFrom } from '../rows.ts'
import type { OpenSession, OpenSessionOutcome } from '../store.ts'
import type { Connection, Sql } from './connection.ts'

/** Opens a session inside a transaction; the verb `openSession` of `store.ts`. */
export async function openSessionWithin(
  connection: Connection,
  sql: Sql,
  request: OpenSession,
): Promise<OpenSessionOutcome> {
  const nowMs = connection.clock.nowMs()
  // Both rows stay as checked until the commit. Whoever changes the account or disables the application either was
  // first, and is seen here, or waits and then finds the session.
  const [accountRow] = await sql.rows(
    `select ${ACCOUNT_COLUMNS} from accounts where account_id = $1 and version = $2 and status = $3
     for no key update`,
    request.accountId,
    request.accountVersion,
    STATUS.active,
  )
  if (accountRow === undefined) return { kind: 'stale' }
  const [applicationRow] = await sql.rows(
    `select ${APPLICATION_COLUMNS} from applications p where p.application_id = $1 and not p.disabled for share`,
    request.application.applicationId,
  )
  if (applicationRow === undefined) return { kind: 'stale' }
  const account = accountFrom(accountRow)
  const application = applicationFrom(applicationRow)

  const endedSessions = await makeRoom(sql, request, nowMs)
  const expiresAtMs = newSessionEndMs(application, nowMs)
  const signedIn = 'update accounts set last_sign_in_at_ms = $7 where account_id = $2'
  const session = await insertSession(sql, request, { application, expiresAtMs, nowMs }, signedIn)
  return {
    kind: 'opened',
    session,
    account: { ...account, lastSignInAtMs: nowMs },
    previousSignInAtMs: account.lastSignInAtMs,
    endedSessions,
  }
}

/** Inserts a session under the policy of `application`, with a further statement in the same round trip. */
export async function insertSession(
  sql: Sql,
  request: NewSession,
  under: { readonly application: Application; readonly expiresAtMs: number; readonly nowMs: number },
  beside: string,
): Promise<Session> {
  const { device } = request
  const { application, expiresAtMs, nowMs } = under
  const [row] = await sql.rows(
    `with beside as (${beside}),
     device as (
       insert into session_devices (session_id, auth_time_ms, amr, address, user_agent, device_id)
       values ($1, $7, $9, $10, $11, $12))
     insert into sessions (session_id, account_id, application_id, application_epoch, rotation, kid, expires_at_ms,
       rotated_at_ms, handed_out_at_ms, created_at_ms, last_used_at_ms)
     values ($1, $2, $3, $4, $5, $6, $8, $7, $7, $7, $7) returning ${SESSION_COLUMNS}`,
    request.sessionId,
    request.accountId,
    application.applicationId,
    application.epoch,
    application.rotation,
    request.kid,
    nowMs,
    expiresAtMs,
    request.amr.join(' '),
    device.address,
    device.userAgent,
    device.deviceId,
  )
  return sessionFrom(row as Row)
}

/**
 * Ends sessions of an account until one more fits under the cap: those no longer served first, then the longest unused.
 * The caller locks the account.
 */
export async function makeRoom(
  sql: Sql,
  request: Pick<OpenSession, 'accountId' | 'maxLiveSessions'>,
  nowMs: number,
): Promise<readonly string[]> {
  const rows = await sql.rows(
    `with surplus as materialized (
       select session_id from sessions where ended_at_ms is null and session_id = any(array(
         select session_id from sessions s where account_id = $1 and ended_at_ms is null and expires_at_ms > $2
         order by ${isServed('$2')} desc, last_used_at_ms desc, session_id offset $3))
       order by session_id for no key update)
     update sessions s set ended_at_ms = $2, end_reason = 'session-limit' from surplus
     where s.session_id = surplus.session_id returning s.session_id`,
    request.accountId,
    nowMs,
    request.maxLiveSessions - 1,
  )
  return rows.map(([sessionId]) => sessionId as string)
}
