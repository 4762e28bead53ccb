import { type Account, STATUS } from '../../core/account.ts'
import type { Application } from '../../core/application.ts'
import { type EndReason, type NewSession, type Session, newSessionEndMs } from '../../core/session.ts'
import { decideOnce } from '../decide-once.ts'
import {
  ACCOUNT_COLUMNS,
  type Row,
  SESSION_COLUMNS,
  accountFrom,
  isServed,
  listingFrom,
  listingSql,
  sessionFrom,
} from '../rows.ts'
import type {
  OpenSession,
  OpenSessionOutcome,
  RefreshOutcome,
  RefreshRequest,
  SessionStore,
} from '../store.ts'
import { applicationWithin } from './applications.ts'
import type { CachedReads } from './cached-reads.ts'
import type { Connection } from './connection.ts'
import type { LastUses } from './last-uses.ts'
import type { RotationLog } from './rotation-log.ts'

const LISTING = listingSql('?1', '?2')

/** The verbs about sessions; guarantees in `store.ts`. */
export function sessionStore(
  connection: Connection,
  rotations: RotationLog,
  reads: CachedReads,
  uses: LastUses,
): SessionStore {
  return {
    openSession: (request) => connection.write(() => open(connection, rotations, request)),
    refreshSession: (request) =>
      connection.write(() => refresh(connection, rotations, reads, uses, request), { single: true }),

    readSession: (sessionId) => connection.readTogether(() => reads.wholeView(sessionId)),

    listSessions(accountId, limit) {
      return connection.readTogether(() =>
        connection.rows(LISTING, accountId, limit).map((row) => rotations.current(listingFrom(row))),
      )
    },

    endSession: (accountId, sessionId, reason) =>
      connection.write(() => {
        const ended = connection.run(
          `update sessions set ended_at_ms = ?, end_reason = ?
           where session_id = ? and account_id = ? and ended_at_ms is null`,
          connection.clock.nowMs(),
          reason,
          sessionId,
          accountId,
        )
        return ended === 1
      }),

    endSessions: (accountId, reason) =>
      connection.write(() => {
        connection.run('update accounts set version = version + 1 where account_id = ?', accountId)
        return endSessionsWithin(connection, accountId, reason, null)
      }),

    removeExpiredSessions: (limit) =>
      connection.write(() => {
        const rows = connection.rows(
          `delete from sessions where session_id in
           (select session_id from sessions where expires_at_ms <= ? order by expires_at_ms limit ?)
           returning session_id`,
          connection.clock.nowMs(),
          limit,
        )
        const remove = connection.sql('delete from session_devices where session_id = ?')
        for (const [sessionId] of rows) remove.run(sessionId as string)
        return rows.length
      }),
  }
}

/**
 * Ends an account's live sessions inside the caller's transaction, all but `exceptSessionId` if that is given.
 * @returns the ids of the sessions ended
 */
export function endSessionsWithin(
  connection: Connection,
  accountId: number,
  reason: EndReason,
  exceptSessionId: string | null,
): readonly string[] {
  const rows = connection.rows(
    `update sessions set ended_at_ms = ?, end_reason = ?
     where account_id = ? and ended_at_ms is null and session_id is not ? returning session_id`,
    connection.clock.nowMs(),
    reason,
    accountId,
    exceptSessionId,
  )
  return rows.map(([sessionId]) => sessionId as string)
}

function refresh(
  connection: Connection,
  rotations: RotationLog,
  reads: CachedReads,
  uses: LastUses,
  request: RefreshRequest,
): RefreshOutcome {
  const before = reads.view(request.presented.sessionId)
  const outcome = decideOnce(before, request, connection.clock)
  const { decision, view, nowMs } = outcome
  if (view === null || view === before) return outcome
  const { session } = view
  if (decision.kind === 'end') end(connection, session)
  else if (decision.kind === 'keep' && view.application?.idleSeconds === 0)
    uses.note(session.sessionId, nowMs)
  else {
    rotations.append(session)
    reads.appended(session)
  }
  return outcome
}

/** Conditional although the transaction excludes other writers. */
function end(connection: Connection, { sessionId, endedAtMs, endReason }: Session): void {
  const ended = connection.run(
    'update sessions set ended_at_ms = ?, end_reason = ? where session_id = ? and ended_at_ms is null',
    endedAtMs,
    endReason,
    sessionId,
  )
  if (ended !== 1) throw new Error('a session ended within the transaction that decided about it')
}

function open(connection: Connection, rotations: RotationLog, request: OpenSession): OpenSessionOutcome {
  const nowMs = connection.clock.nowMs()
  const account = accountAt(connection, request.accountId, request.accountVersion)
  const application = applicationWithin(connection, request.application.applicationId)
  if (account === null || application === null || application.disabled) return { kind: 'stale' }
  connection.run('update accounts set last_sign_in_at_ms = ? where account_id = ?', nowMs, request.accountId)
  const endedSessions = makeRoomWithin(connection, rotations, request, nowMs)
  const expiresAtMs = newSessionEndMs(application, nowMs)
  return {
    kind: 'opened',
    session: insertSessionWithin(connection, request, application, expiresAtMs, nowMs),
    account: { ...account, lastSignInAtMs: nowMs },
    previousSignInAtMs: account.lastSignInAtMs,
    endedSessions,
  }
}

/** Inserts a session under the policy of `application`, inside the caller's transaction. */
export function insertSessionWithin(
  connection: Connection,
  request: NewSession,
  application: Application,
  expiresAtMs: number,
  nowMs: number,
): Session {
  const row = connection.row(
    `insert into sessions (session_id, account_id, application_id, application_epoch, rotation, rotated_at_ms,
     handed_out_at_ms, kid, created_at_ms, expires_at_ms, last_used_at_ms)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning ${SESSION_COLUMNS}`,
    request.sessionId,
    request.accountId,
    application.applicationId,
    application.epoch,
    application.rotation ? 1 : 0,
    nowMs,
    nowMs,
    request.kid,
    nowMs,
    expiresAtMs,
    nowMs,
  )
  const { device } = request
  connection.run(
    `insert into session_devices (session_id, auth_time_ms, amr, address, user_agent, device_id)
     values (?, ?, ?, ?, ?, ?)`,
    request.sessionId,
    nowMs,
    request.amr.join(' '),
    device.address,
    device.userAgent,
    device.deviceId,
  )
  return sessionFrom(row as Row)
}

function accountAt(connection: Connection, accountId: number, version: number): Account | null {
  const row = connection.row(
    `select ${ACCOUNT_COLUMNS} from accounts where account_id = ? and version = ? and status = ?`,
    accountId,
    version,
    STATUS.active,
  )
  return row === undefined ? null : accountFrom(row)
}

/** Ends sessions of an account until one more fits under the cap: first those not served, then the longest unused. */
export function makeRoomWithin(
  connection: Connection,
  rotations: RotationLog,
  request: Pick<OpenSession, 'accountId' | 'maxLiveSessions'>,
  nowMs: number,
): readonly string[] {
  const live = connection.rows(
    'select session_id from sessions where account_id = ? and ended_at_ms is null',
    request.accountId,
  )
  if (live.length < request.maxLiveSessions) return []
  // The statement below orders the rows by their dates of last use.
  rotations.settle(live.map(([sessionId]) => sessionId as string))
  const rows = connection.rows(
    `update sessions set ended_at_ms = ?1, end_reason = 'session-limit' where session_id in (
       select session_id from sessions s where account_id = ?2 and ended_at_ms is null and expires_at_ms > ?1
       order by ${isServed('?1')} desc, last_used_at_ms desc, session_id limit -1 offset ?3)
     returning session_id`,
    nowMs,
    request.accountId,
    request.maxLiveSessions - 1,
  )
  return rows.map(([sessionId]) => sessionId as string)
}
