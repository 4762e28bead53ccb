import { STATUS } from '../../core/account.ts'
import { idleBeforeMs } from '../../core/session.ts'
import type { ReplayedEntry } from '../journal.ts'
import { endedFrom, instanceFrom } from '../rows.ts'
import type { RecoveryStore } from '../recovery-store.ts'
import type { Connection } from './connection.ts'
import { replayKey } from './keys.ts'
import { READ_RESTORED_MARK, UNMARK_RESTORED } from './restored-mark.ts'
import type { RotationLog } from './rotation-log.ts'
import {
  keepLegacySessionEndedWithin,
  refuseLegacyTokensBeforeEpochWithin,
  refuseLegacyTokensOfWithin,
  refuseLegacyTokensWithin,
} from './legacy.ts'

/** `is not null` lets the index of ended sessions serve. Exported for the test of its plan. */
export const ENDED_FOR = `select session_id, end_reason, ended_at_ms from sessions
  where account_id = ? and end_reason = ? and ended_at_ms is not null and ended_at_ms = coalesce(?, ended_at_ms)`

/** The verbs about instances and restored databases; guarantees in `recovery-store.ts`. */
export function recoveryStore(connection: Connection, rotations: RotationLog): RecoveryStore {
  return {
    async databaseId() {
      const select = 'select applied_at_ms from migrations where id = 1'
      return String(connection.read(() => connection.row(select))?.[0])
    },

    beat: (instanceId) => connection.write(() => note(connection, instanceId, 0)),

    otherConnections: async () => 0,

    countWrite: (instanceId) =>
      connection.write(() => {
        const row = connection.row(
          `insert into instances (instance_id, last_seen_at_ms, writes) values (?, ?, 1)
           on conflict do update set last_seen_at_ms = excluded.last_seen_at_ms, writes = writes + 1
           returning writes`,
          instanceId,
          connection.clock.nowMs(),
        )
        return row?.[0] as number
      }),

    async listInstances() {
      const select = 'select instance_id, last_seen_at_ms, writes from instances order by instance_id'
      return connection.read(() => connection.rows(select)).map(instanceFrom)
    },

    async givenIds() {
      const rows = connection.read(() => connection.rows('select name, seq from sqlite_sequence'))
      // A table has no sequence before its first row.
      const of = (table: string) => (rows.find(([name]) => name === table)?.[1] ?? 0) as number
      return { accounts: of('accounts'), applications: of('applications') }
    },

    recover: (entries, { endAll, givenIds, writes }) =>
      connection.write(() => {
        for (const entry of entries) replay(connection, entry)
        if (endAll) {
          connection.run(
            "update sessions set ended_at_ms = ?, end_reason = 'store-restored' where ended_at_ms is null",
            connection.clock.nowMs(),
          )
          refuseLegacyTokensWithin(connection)
        }
        rotations.settleAll()
        letSessionsRest(connection)
        for (const table of ['accounts', 'applications'] as const) {
          connection.run('delete from sqlite_sequence where name = ?', table)
          connection.run('insert into sqlite_sequence (name, seq) values (?, ?)', table, givenIds[table])
        }
        for (const [instanceId, count] of writes) note(connection, instanceId, count)
        connection.exec(UNMARK_RESTORED)
      }),

    async awaitsRecovery() {
      return connection.read(() => connection.row(READ_RESTORED_MARK))?.[0] !== 0
    },

    async listEnded({ endedAtMs, sessionId }, limit) {
      const select = `select session_id, end_reason, ended_at_ms from sessions
         where (ended_at_ms, session_id) > (?, ?) and ended_at_ms is not null and end_reason <> 'store-restored'
         order by ended_at_ms, session_id limit ?`
      return connection.read(() => connection.rows(select, endedAtMs, sessionId, limit)).map(endedFrom)
    },

    async listEndedFor(accountId, reason, endedAtMs) {
      return connection.read(() => connection.rows(ENDED_FOR, accountId, reason, endedAtMs)).map(endedFrom)
    },
  }
}

/** Notes that an instance is alive and that its journal has had at least `writes` writes. */
function note(connection: Connection, instanceId: string, writes: number): number {
  const row = connection.row(
    `insert into instances (instance_id, last_seen_at_ms, writes) values (?, ?, ?)
     on conflict do update set last_seen_at_ms = excluded.last_seen_at_ms,
       writes = max(writes, excluded.writes) returning writes`,
    instanceId,
    connection.clock.nowMs(),
    writes,
  )
  return row?.[0] as number
}

/**
 * Counts the recovery as a hand-out and a use of every live session, except those that had already been idle too long
 * when the database was last written (docs/decisions/0010). That time is when an instance was last seen, so this comes
 * before `note`.
 */
function letSessionsRest(connection: Connection): void {
  const rows = connection.rows(
    `select application_id, idle_seconds, (select coalesce(max(last_seen_at_ms), 0) from instances)
     from applications`,
  )
  for (const [applicationId, idleSeconds, writtenAtMs] of rows as readonly [number, number, number][]) {
    connection.run(
      `update sessions set handed_out_at_ms = ?1, last_used_at_ms = ?1
       where application_id = ?2 and ended_at_ms is null and last_used_at_ms >= ?3`,
      connection.clock.nowMs(),
      applicationId,
      idleBeforeMs(idleSeconds, writtenAtMs),
    )
  }
}

function replay(connection: Connection, entry: ReplayedEntry): void {
  switch (entry.kind) {
    case 'session':
      connection.run(
        'update sessions set ended_at_ms = ?, end_reason = ? where session_id = ? and ended_at_ms is null',
        entry.atMs,
        entry.reason,
        entry.sessionId,
      )
      keepLegacySessionEndedWithin(connection, entry.sessionId, entry.atMs)
      return
    case 'account-sessions':
      connection.run(
        `update sessions set ended_at_ms = ?1, end_reason = ?2 where account_id = ?3 and session_id is not ?4
         and (created_at_ms <= ?1 or session_id in (select value from json_each(?5))) and ended_at_ms is null`,
        entry.atMs,
        entry.reason,
        entry.accountId,
        entry.exceptSessionId,
        JSON.stringify(entry.sessionIds),
      )
      connection.run('update accounts set version = version + 1 where account_id = ?', entry.accountId)
      refuseLegacyTokensOfWithin(connection, entry.accountId)
      return
    case 'account-status':
      connection.run(
        `update accounts set status = ?, version = version + 1
         where account_id = ? and status <> ${STATUS.terminated}`,
        entry.status,
        entry.accountId,
      )
      refuseLegacyTokensOfWithin(connection, entry.accountId)
      return
    case 'application':
      connection.applications.length = 0
      refuseLegacyTokensBeforeEpochWithin(connection, entry.applicationId, entry.epoch)
      connection.run(
        'update applications set disabled = ?, epoch = max(epoch, ?) where application_id = ?',
        entry.disabled ? 1 : 0,
        entry.epoch,
        entry.applicationId,
      )
      return
    case 'key':
      replayKey(connection, entry.key, entry.othersRetireAtMs)
  }
}
