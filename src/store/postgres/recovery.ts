import { STATUS } from '../../core/account.ts'
import { idleBeforeMs } from '../../core/session.ts'
import type { ReplayedEntry } from '../journal.ts'
import { endedFrom, instanceFrom } from '../rows.ts'
import type { RecoveryStore } from '../recovery-store.ts'
import { APPLICATION_NAME, type Connection, type Sql } from './connection.ts'
import { replayKey } from './keys.ts'
import {
  keepLegacySessionEndedWithin,
  refuseLegacyTokensBeforeEpochWithin,
  refuseLegacyTokensOfWithin,
  refuseLegacyTokensWithin,
} from './legacy.ts'

/** A recovery reads many entries; no request waits for it. */
const RECOVERY_MS = 3_600_000

/** The verbs about instances and restored databases; guarantees in `recovery-store.ts`. */
export function recoveryStore(connection: Connection): RecoveryStore {
  return {
    async databaseId() {
      const [row] = await connection.rows('select applied_at_ms from migrations where id = 1')
      return String(row?.[0])
    },

    async beat(instanceId) {
      await catchUp(connection, { isRunning: true })
      return connection.transaction((sql) => note(sql, instanceId, connection.clock.nowMs(), 0))
    },

    async otherConnections() {
      const [row] = await connection.rows(
        `select count(*)::integer from pg_stat_activity
         where datname = current_database() and application_name = $1 and pid <> pg_backend_pid()`,
        APPLICATION_NAME,
      )
      return row?.[0] as number
    },

    countWrite: (instanceId) =>
      connection.transaction(async (sql) => {
        const [row] = await sql.rows(
          `insert into instances (instance_id, last_seen_at_ms, writes) values ($1, $2, 1)
           on conflict (instance_id) do update
           set last_seen_at_ms = excluded.last_seen_at_ms, writes = instances.writes + 1
           returning writes`,
          instanceId,
          connection.clock.nowMs(),
        )
        return row?.[0] as number
      }),

    async listInstances() {
      const rows = await connection.rows(
        'select instance_id, last_seen_at_ms, writes from instances order by instance_id',
      )
      return rows.map(instanceFrom)
    },

    givenIds: () =>
      connection.transaction(async (sql) => ({
        accounts: await givenOf(sql, 'accounts', 'account_id'),
        applications: await givenOf(sql, 'applications', 'application_id'),
      })),

    recover: (entries, { endAll, givenIds, writes }) =>
      connection.transaction(async (sql) => {
        const nowMs = connection.clock.nowMs()
        for (const entry of entries) await replay(sql, entry)
        if (endAll) {
          await sql.rows(
            "update sessions set ended_at_ms = $1, end_reason = 'store-restored' where ended_at_ms is null",
            nowMs,
          )
          await refuseLegacyTokensWithin(sql)
        }
        await letSessionsRest(sql, nowMs)
        await sql.rows(
          "select setval(pg_get_serial_sequence('accounts', 'account_id'), $1)",
          givenIds.accounts,
        )
        await sql.rows(
          "select setval(pg_get_serial_sequence('applications', 'application_id'), $1)",
          givenIds.applications,
        )
        for (const [instanceId, count] of writes) await note(sql, instanceId, nowMs, count)
      }, RECOVERY_MS),

    awaitsRecovery: async () => false,

    async listEnded({ endedAtMs, sessionId }, limit) {
      const rows = await connection.rows(
        `select session_id, end_reason, ended_at_ms from sessions
         where (ended_at_ms, session_id) > ($1, $2) and ended_at_ms is not null and end_reason <> 'store-restored'
         order by ended_at_ms, session_id limit $3`,
        endedAtMs,
        sessionId,
        limit,
      )
      return rows.map(endedFrom)
    },

    async listEndedFor(accountId, reason, endedAtMs) {
      const rows = await connection.rows(
        `select session_id, end_reason, ended_at_ms from sessions
         where account_id = $1 and end_reason = $2 and ended_at_ms is not null
           and ended_at_ms = coalesce($3::bigint, ended_at_ms)`,
        accountId,
        reason,
        endedAtMs,
      )
      return rows.map(endedFrom)
    },
  }
}

/**
 * Sets the clock forward to the latest time that any instance has noted, in case the database's clock was set back
 * since. Must run before this instance notes its own time.
 */
export async function catchUp(
  connection: Connection,
  options: { readonly isRunning?: boolean } = {},
): Promise<void> {
  const [row] = await connection.rows('select coalesce(max(last_seen_at_ms), 0) from instances')
  connection.clock.catchUp(row?.[0] as number, options)
}

/**
 * The greatest id that the table's sequence gave out or the table holds: a restored sequence may lag behind the rows.
 */
async function givenOf(sql: Sql, table: string, column: string): Promise<number> {
  const [row] = await sql.rows(
    `select greatest(nextval(pg_get_serial_sequence('${table}', '${column}')),
                     (select coalesce(max(${column}), 1) from ${table}))`,
  )
  return row?.[0] as number
}

/** Notes that an instance lives and that its journal has had at least `writes` writes; returns how many it had. */
async function note(sql: Sql, instanceId: string, nowMs: number, writes: number): Promise<number> {
  const [row] = await sql.rows(
    `insert into instances (instance_id, last_seen_at_ms, writes) values ($1, $2, $3)
     on conflict (instance_id) do update
     set last_seen_at_ms = excluded.last_seen_at_ms, writes = greatest(instances.writes, excluded.writes)
     returning writes`,
    instanceId,
    nowMs,
    writes,
  )
  return row?.[0] as number
}

/**
 * Counts the recovery as a hand-out and a use of each live session, except those that were already idle for too long
 * when the database was last written. That time is the latest `last_seen_at_ms`, until an instance beats again.
 */
async function letSessionsRest(sql: Sql, nowMs: number): Promise<void> {
  const rows = await sql.rows(
    `select application_id, idle_seconds, (select coalesce(max(last_seen_at_ms), 0) from instances)
     from applications`,
  )
  for (const [applicationId, idleSeconds, writtenAtMs] of rows as readonly [number, number, number][]) {
    await sql.rows(
      `update sessions set handed_out_at_ms = $1, last_used_at_ms = $1
       where application_id = $2 and ended_at_ms is null and last_used_at_ms >= $3`,
      nowMs,
      applicationId,
      idleBeforeMs(idleSeconds, writtenAtMs),
    )
  }
}

async function replay(sql: Sql, entry: ReplayedEntry): Promise<void> {
  switch (entry.kind) {
    case 'session':
      await sql.rows(
        'update sessions set ended_at_ms = $1, end_reason = $2 where session_id = $3 and ended_at_ms is null',
        entry.atMs,
        entry.reason,
        entry.sessionId,
      )
      await keepLegacySessionEndedWithin(sql, entry.sessionId, entry.atMs)
      return
    case 'account-sessions':
      await sql.rows(
        `update sessions set ended_at_ms = $1, end_reason = $2 where account_id = $3
         and session_id is distinct from $4 and (created_at_ms <= $1 or session_id = any($5::text[]))
         and ended_at_ms is null`,
        entry.atMs,
        entry.reason,
        entry.accountId,
        entry.exceptSessionId,
        entry.sessionIds,
      )
      await sql.rows('update accounts set version = version + 1 where account_id = $1', entry.accountId)
      await refuseLegacyTokensOfWithin(sql, entry.accountId)
      return
    case 'account-status':
      await sql.rows(
        `update accounts set status = $1, version = version + 1
         where account_id = $2 and status <> ${STATUS.terminated}`,
        entry.status,
        entry.accountId,
      )
      await refuseLegacyTokensOfWithin(sql, entry.accountId)
      return
    case 'application':
      await refuseLegacyTokensBeforeEpochWithin(sql, entry.applicationId, entry.epoch)
      await sql.rows(
        'update applications set disabled = $1, epoch = greatest(epoch, $2) where application_id = $3',
        entry.disabled,
        entry.epoch,
        entry.applicationId,
      )
      return
    case 'key':
      await replayKey(sql, entry.key, entry.othersRetireAtMs)
  }
}
