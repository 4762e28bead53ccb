import { idleBeforeMs } from '../../core/session.ts'
import type { EndReason } from '../../core/session.ts'
import type { GivenIds, JournalEntry } from '../journal.ts'
import type { RecoveryStore } from '../recovery-store.ts'
import type { Connection, Sql } from './connection.ts'
import { replayKey } from './keys.ts'
import { keepLegacySessionEndedWithin, refuseLegacyTokensWithin } from './legacy.ts'

/** A recovery reads many entries; no request waits for it. */
const RECOVERY_MS = 3_600_000

/** The verbs about instances and restored databases; guarantees in `store.ts`. */
export function recoveryStore(connection: Connection): RecoveryStore {
  return {
    beat: (instanceId, atLeastMs = 0) =>
      connection.transaction((sql) => beat(sql, instanceId, Math.max(connection.clock.nowMs(), atLeastMs))),

    async listInstances() {
      const rows = await connection.rows(
        'select instance_id, last_seen_at_ms from instances order by instance_id',
      )
      return rows.map(([id, at]) => ({ instanceId: id as string, lastSeenAtMs: at as number }))
    },

    recover: (entries, { endAll, idGap, instanceIds, writtenToMs }) =>
      connection.transaction(async (sql) => {
        const nowMs = connection.clock.nowMs()
        for (const entry of entries) await replay(sql, entry)
        if (endAll) await endAllWithin(sql, Number.MAX_SAFE_INTEGER, nowMs)
        await letSessionsRest(sql, nowMs)
        const ids = {
          accounts: await moveOn(sql, 'accounts', 0, idGap),
          applications: await moveOn(sql, 'applications', 0, idGap),
        }
        for (const instanceId of instanceIds) await beat(sql, instanceId, Math.max(nowMs, writtenToMs))
        return ids
      }, RECOVERY_MS),

    async listEnded(sinceMs, limit) {
      const rows = await connection.rows(
        `select session_id, end_reason, ended_at_ms from sessions
         where ended_at_ms >= $1 and end_reason <> 'store-restored' order by ended_at_ms desc limit $2`,
        sinceMs,
        limit,
      )
      return rows.map(([sessionId, reason, endedAtMs]) => ({
        sessionId: sessionId as string,
        reason: reason as EndReason,
        endedAtMs: endedAtMs as number,
      }))
    },
  }
}

const ID_COLUMNS = { accounts: 'account_id', applications: 'application_id' } as const

/** Moves a sequence behind what it gave out, what its table holds, which may be more, and `given`; then by a gap. Where it is then. */
async function moveOn(sql: Sql, table: keyof GivenIds, given: number, gap: number): Promise<number> {
  const column = ID_COLUMNS[table]
  const [row] = await sql.rows(
    `select setval(pg_get_serial_sequence('${table}', '${column}'),
     greatest(nextval(pg_get_serial_sequence('${table}', '${column}')),
              (select coalesce(max(${column}), 1) from ${table}), $1) + $2)`,
    given,
    gap,
  )
  return row?.[0] as number
}

/** The sessions that were opened until then. */
async function endAllWithin(sql: Sql, openedToMs: number, atMs: number): Promise<void> {
  await sql.rows(
    `update sessions set ended_at_ms = $1, end_reason = 'store-restored'
     where ended_at_ms is null and created_at_ms <= $2`,
    atMs,
    openedToMs,
  )
  await refuseLegacyTokensWithin(sql)
}

async function beat(sql: Sql, instanceId: string, nowMs: number): Promise<void> {
  await sql.rows(
    `insert into instances (instance_id, last_seen_at_ms) values ($1, $2)
     on conflict (instance_id) do update
     set last_seen_at_ms = greatest(instances.last_seen_at_ms, excluded.last_seen_at_ms)`,
    instanceId,
    nowMs,
  )
}

/** Before the instances beat again: when they were last seen says when the database was written. */
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

async function replay(sql: Sql, entry: JournalEntry): Promise<void> {
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
        entry.sessionIds ?? [],
      )
      await sql.rows('update accounts set version = version + 1 where account_id = $1', entry.accountId)
      return
    case 'account-status':
      await sql.rows(
        'update accounts set status = $1, version = version + 1 where account_id = $2 and status <> 3',
        entry.status,
        entry.accountId,
      )
      return
    case 'application':
      await sql.rows(
        'update applications set disabled = $1, epoch = greatest(epoch, $2) where application_id = $3',
        entry.disabled,
        entry.epoch,
        entry.applicationId,
      )
      return
    case 'application-disabled':
      await sql.rows(
        'update applications set disabled = true, epoch = epoch + 1 where application_id = $1',
        entry.applicationId,
      )
      return
    case 'key':
      await replayKey(sql, entry.key, entry.othersRetireAtMs)
      return
    case 'recovered':
      if (entry.endedAll) await endAllWithin(sql, entry.atMs, entry.atMs)
      for (const table of ['accounts', 'applications'] as const) {
        await moveOn(sql, table, entry.ids[table], 0)
      }
  }
}
