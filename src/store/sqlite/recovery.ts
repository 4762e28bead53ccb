import { idleBeforeMs } from '../../core/session.ts'
import type { EndReason } from '../../core/session.ts'
import type { GivenIds, JournalEntry } from '../journal.ts'
import type { Row } from '../rows.ts'
import type { RecoveryStore } from '../recovery-store.ts'
import type { Connection } from './connection.ts'
import { replayKey } from './keys.ts'
import type { RotationLog } from './rotation-log.ts'
import { keepLegacySessionEndedWithin, refuseLegacyTokensWithin } from './legacy.ts'

/** The verbs about instances and restored databases; guarantees in `store.ts`. */
export function recoveryStore(connection: Connection, rotations: RotationLog): RecoveryStore {
  return {
    beat: (instanceId, atLeastMs = 0) => connection.write(() => beat(connection, instanceId, atLeastMs)),

    async listInstances() {
      const statement = connection.sql(
        'select instance_id, last_seen_at_ms from instances order by instance_id',
      )
      const rows = connection.read(() => statement.all() as unknown as Row[])
      return rows.map(([id, at]) => ({ instanceId: id as string, lastSeenAtMs: at as number }))
    },

    recover: (entries, { endAll, idGap, instanceIds, writtenToMs }) =>
      connection.write(() => {
        for (const entry of entries) replay(connection, entry)
        if (endAll) endAllWithin(connection, Number.MAX_SAFE_INTEGER, connection.clock.nowMs())
        rotations.settleAll()
        letSessionsRest(connection)
        const ids = {
          accounts: moveOn(connection, 'accounts', 0, idGap),
          applications: moveOn(connection, 'applications', 0, idGap),
        }
        for (const instanceId of instanceIds) beat(connection, instanceId, writtenToMs)
        return ids
      }),

    async listEnded(sinceMs, limit) {
      const statement = connection.sql(
        `select session_id, end_reason, ended_at_ms from sessions
         where ended_at_ms >= ? and end_reason <> 'store-restored' order by ended_at_ms desc limit ?`,
      )
      const rows = connection.read(() => statement.all(sinceMs, limit) as unknown as Row[])
      return rows.map(([sessionId, reason, endedAtMs]) => ({
        sessionId: sessionId as string,
        reason: reason as EndReason,
        endedAtMs: endedAtMs as number,
      }))
    },
  }
}

function beat(connection: Connection, instanceId: string, atLeastMs: number): void {
  connection
    .sql(
      `insert into instances values (?, ?)
       on conflict do update set last_seen_at_ms = max(last_seen_at_ms, excluded.last_seen_at_ms)`,
    )
    .run(instanceId, Math.max(connection.clock.nowMs(), atLeastMs))
}

/** Moves a sequence behind what it gave out and `given`, then by a gap. Where it is then. */
function moveOn(connection: Connection, table: keyof GivenIds, given: number, gap: number): number {
  // Before its first row a table has no sequence yet.
  connection
    .sql(
      `insert into sqlite_sequence (name, seq)
       select ?1, 0 where not exists (select 1 from sqlite_sequence where name = ?1)`,
    )
    .run(table)
  const statement = connection.sql(
    'update sqlite_sequence set seq = max(seq, ?) + ? where name = ? returning seq',
  )
  const [seq] = statement.get(given, gap, table) as unknown as readonly [number]
  return seq
}

/** The sessions that were opened until then. */
function endAllWithin(connection: Connection, openedToMs: number, atMs: number): void {
  connection
    .sql(
      `update sessions set ended_at_ms = ?, end_reason = 'store-restored'
       where ended_at_ms is null and created_at_ms <= ?`,
    )
    .run(atMs, openedToMs)
  refuseLegacyTokensWithin(connection)
}

/** Before the instances beat again: when they were last seen says when the database was written. */
function letSessionsRest(connection: Connection): void {
  const rows = connection
    .sql(
      `select application_id, idle_seconds, (select coalesce(max(last_seen_at_ms), 0) from instances)
       from applications`,
    )
    .all() as unknown as [number, number, number][]
  const rest = connection.sql(
    `update sessions set handed_out_at_ms = ?1, last_used_at_ms = ?1
     where application_id = ?2 and ended_at_ms is null and last_used_at_ms >= ?3`,
  )
  for (const [applicationId, idleSeconds, writtenAtMs] of rows) {
    rest.run(connection.clock.nowMs(), applicationId, idleBeforeMs(idleSeconds, writtenAtMs))
  }
}

function replay(connection: Connection, entry: JournalEntry): void {
  switch (entry.kind) {
    case 'session':
      connection
        .sql(
          'update sessions set ended_at_ms = ?, end_reason = ? where session_id = ? and ended_at_ms is null',
        )
        .run(entry.atMs, entry.reason, entry.sessionId)
      keepLegacySessionEndedWithin(connection, entry.sessionId, entry.atMs)
      return
    case 'account-sessions':
      connection
        .sql(
          `update sessions set ended_at_ms = ?1, end_reason = ?2 where account_id = ?3 and session_id is not ?4
           and (created_at_ms <= ?1 or session_id in (select value from json_each(?5))) and ended_at_ms is null`,
        )
        .run(
          entry.atMs,
          entry.reason,
          entry.accountId,
          entry.exceptSessionId,
          JSON.stringify(entry.sessionIds ?? []),
        )
      connection.sql('update accounts set version = version + 1 where account_id = ?').run(entry.accountId)
      return
    case 'account-status':
      connection
        .sql('update accounts set status = ?, version = version + 1 where account_id = ? and status <> 3')
        .run(entry.status, entry.accountId)
      return
    case 'application':
      connection.applications.clear()
      connection
        .sql('update applications set disabled = ?, epoch = max(epoch, ?) where application_id = ?')
        .run(entry.disabled ? 1 : 0, entry.epoch, entry.applicationId)
      return
    case 'application-disabled':
      connection.applications.clear()
      connection
        .sql('update applications set disabled = 1, epoch = epoch + 1 where application_id = ?')
        .run(entry.applicationId)
      return
    case 'key':
      replayKey(connection, entry.key, entry.othersRetireAtMs)
      return
    case 'recovered':
      if (entry.endedAll) endAllWithin(connection, entry.atMs, entry.atMs)
      for (const table of ['accounts', 'applications'] as const) {
        moveOn(connection, table, entry.ids[table], 0)
      }
  }
}
