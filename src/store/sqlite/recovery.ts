import { idleBeforeMs } from '../../core/session.ts'
import type { JournalEntry } from '../journal.ts'
import type { Row } from '../rows.ts'
import type { RecoveryStore } from '../store.ts'
import type { Connection } from './connection.ts'
import { replayKey } from './keys.ts'
import type { RotationLog } from './rotation-log.ts'
import { keepLegacySessionEndedWithin, refuseLegacyTokensWithin } from './legacy.ts'

/** The verbs about instances and restored databases; guarantees in `store.ts`. */
export function recoveryStore(connection: Connection, rotations: RotationLog): RecoveryStore {
  return {
    beat: (instanceId) => connection.write(() => beat(connection, instanceId)),

    async listInstances() {
      const statement = connection.sql(
        'select instance_id, last_seen_at_ms from instances order by instance_id',
      )
      const rows = connection.read(() => statement.all() as unknown as Row[])
      return rows.map(([id, at]) => ({ instanceId: id as string, lastSeenAtMs: at as number }))
    },

    recover: (entries, { endAll, idGap, instanceIds }) =>
      connection.write(() => {
        for (const entry of entries) replay(connection, entry)
        if (endAll) {
          connection
            .sql(
              "update sessions set ended_at_ms = ?, end_reason = 'store-restored' where ended_at_ms is null",
            )
            .run(connection.clock.nowMs())
          refuseLegacyTokensWithin(connection)
        }
        rotations.settleAll()
        letSessionsRest(connection)
        for (const table of ['accounts', 'applications']) {
          connection.sql('update sqlite_sequence set seq = seq + ? where name = ?').run(idGap, table)
        }
        for (const instanceId of instanceIds) beat(connection, instanceId)
      }),
  }
}

function beat(connection: Connection, instanceId: string): void {
  connection
    .sql(
      `insert into instances values (?, ?)
       on conflict do update set last_seen_at_ms = excluded.last_seen_at_ms`,
    )
    .run(instanceId, connection.clock.nowMs())
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
           and created_at_ms <= ?1 and ended_at_ms is null`,
        )
        .run(entry.atMs, entry.reason, entry.accountId, entry.exceptSessionId)
      connection.sql('update accounts set version = version + 1 where account_id = ?').run(entry.accountId)
      return
    case 'account-status':
      connection
        .sql('update accounts set status = ?, version = version + 1 where account_id = ? and status <> 3')
        .run(entry.status, entry.accountId)
      return
    case 'application-disabled':
      connection.applications.clear()
      connection
        .sql('update applications set disabled = 1, epoch = epoch + 1 where application_id = ?')
        .run(entry.applicationId)
      return
    case 'key':
      replayKey(connection, entry.key, entry.othersRetireAtMs)
  }
}
