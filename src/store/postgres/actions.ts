import { edgesOf, tallyActions } from '../../core/actions.ts'
import {
  ACTION_COLUMNS,
  COUNT_COLUMNS,
  LEVEL_COLUMNS,
  actionCountFrom,
  actionFrom,
  logCountFrom,
  logLevelFrom,
} from '../action-rows.ts'
import { PAIRS, SUM } from '../action-counts-sql.ts'
import type { ActionGroup, ActionStore, LogTally } from '../action-store.ts'
import type { Connection, Sql } from './connection.ts'
import { LOCK, lock } from './locks.ts'

/** The verbs about recorded actions and counters; guarantees in `action-store.ts`. */
export function actionStore(connection: Connection): ActionStore {
  return {
    recordActions: (group) => connection.transaction((sql) => record(connection, sql, group)),

    async listActions(accountId, offset, limit, fromMs, toMs) {
      // The inner select skips `offset` actions in the index alone.
      const rows = await connection.rows(
        `select ${ACTION_COLUMNS} from user_actions where id = any(array(
           select id from user_actions where account_id = $1 and at_ms between $2 and $3
           order by at_ms desc, id desc limit $4 offset $5))
         order by at_ms desc, id desc`,
        accountId,
        fromMs,
        toMs,
        limit,
        offset,
      )
      return rows.map(actionFrom)
    },

    async latestActions(limit) {
      const sql = `select ${ACTION_COLUMNS} from user_actions order by id desc limit $1`
      return (await connection.rows(sql, limit)).map(actionFrom)
    },

    async actionsAfter(id, limit) {
      const sql = `select ${ACTION_COLUMNS} from user_actions where id > $1 order by id limit $2`
      return (await connection.rows(sql, id, limit)).map(actionFrom)
    },

    async actionCounts(sinceMs) {
      const edges = sinceMs.map(edgesOf)
      const rows = await connection.rows(
        COUNT,
        edges.map(({ hourMs }) => hourMs),
        edges.map(({ dayMs }) => dayMs),
        edges.map(({ monthMs }) => monthMs),
      )
      return rows.map(actionCountFrom).filter(({ count }) => count > 0)
    },

    async logCounts(sinceMs) {
      const rows = await connection.rows(
        `select ${COUNT_COLUMNS} from unnest($1::text[], $2::bigint[]) as wanted(wanted_span, since_ms)
         join log_counts on span = wanted_span and start_ms >= since_ms`,
        Object.keys(sinceMs),
        Object.values(sinceMs),
      )
      return rows.map(logCountFrom)
    },

    async logLevels() {
      const rows = await connection.rows(`select ${LEVEL_COLUMNS} from log_levels order by level`)
      return rows.map(logLevelFrom)
    },

    removeOldActions: (beforeMs, limit) =>
      connection.transaction((sql) =>
        sql.count(
          `delete from user_actions where id = any(array(
             select id from (select id, at_ms from user_actions order by id limit $1) oldest where at_ms < $2))`,
          limit,
          beforeMs,
        ),
      ),

    removeOldCounts: ({ actionsBeforeMs, logsBeforeMs, writersBeforeMs }) =>
      connection.transaction(async (sql) => {
        await lock(sql, LOCK.actions)
        const { hourMs, dayMs, monthMs } = edgesOf(actionsBeforeMs)
        await sql.rows(REMOVE_COUNTS, 'month', monthMs)
        await sql.rows(REMOVE_COUNTS, 'day', dayMs)
        await sql.rows(REMOVE_COUNTS, 'hour', hourMs)
        for (const [span, beforeMs] of Object.entries(logsBeforeMs))
          await sql.rows('delete from log_counts where span = $1 and start_ms < $2', span, beforeMs)
        await sql.rows('delete from action_writers where at_ms < $1', writersBeforeMs)
      }),
  }
}

const COUNT = `
  with ${PAIRS},
  edges as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[]) with ordinality
      as e(hour_ms, day_ms, month_ms, place))
  select e.place - 1, p.kind, p.code, (${SUM})::bigint from edges e cross join pairs p where p.code is not null`

const REMOVE_COUNTS = `
  with ${PAIRS}
  delete from action_counts c using pairs p
  where c.span = $1 and c.kind = p.kind and c.code = p.code and c.start_ms < $2`

/**
 * One writer at a time across all instances. So ids become visible in their order, which whoever follows the actions
 * relies on, and writers never lock the shared counters crosswise.
 */
async function record(connection: Connection, sql: Sql, group: ActionGroup): Promise<boolean> {
  await lock(sql, LOCK.actions)
  const isNew = await sql.count(
    `insert into action_writers as w (writer, last_group, at_ms) values ($1, $2, $3)
     on conflict (writer) do update set last_group = excluded.last_group, at_ms = excluded.at_ms
     where w.last_group < excluded.last_group`,
    group.writer,
    group.number,
    connection.clock.nowMs(),
  )
  if (isNew === 0) return false
  if (group.actions.length > 0) await addActions(sql, group)
  if (group.logs.length > 0) await addLogs(sql, group.logs)
  return true
}

async function addActions(sql: Sql, { actions }: ActionGroup): Promise<void> {
  await sql.rows(
    `insert into user_actions (account_id, code, message, at_ms, address, session_id)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])`,
    actions.map(({ accountId }) => accountId),
    actions.map(({ code }) => code),
    actions.map(({ message }) => message),
    actions.map(({ atMs }) => atMs),
    actions.map(({ address }) => address),
    actions.map(({ sessionId }) => sessionId),
  )
  const tallies = tallyActions(actions)
  await sql.rows(
    `insert into action_counts as c (span, kind, code, start_ms, count)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
     on conflict (span, kind, code, start_ms) do update set count = c.count + excluded.count`,
    tallies.map(({ span }) => span),
    tallies.map(({ kind }) => kind),
    tallies.map(({ code }) => code),
    tallies.map(({ startMs }) => startMs),
    tallies.map(({ count }) => count),
  )
}

async function addLogs(sql: Sql, logs: readonly LogTally[]): Promise<void> {
  await sql.rows(
    `insert into log_levels as l (${LEVEL_COLUMNS})
     select * from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
     on conflict (level) do update set total = l.total + excluded.total,
       first_message = case when excluded.first_at_ms < l.first_at_ms then excluded.first_message else l.first_message end,
       first_at_ms = least(excluded.first_at_ms, l.first_at_ms),
       last_message = case when excluded.last_at_ms >= l.last_at_ms then excluded.last_message else l.last_message end,
       last_at_ms = greatest(excluded.last_at_ms, l.last_at_ms)`,
    logs.map(({ level }) => level),
    logs.map(({ total }) => total),
    logs.map(({ first }) => first.message),
    logs.map(({ first }) => first.atMs),
    logs.map(({ last }) => last.message),
    logs.map(({ last }) => last.atMs),
  )
  const counts = logs.flatMap(({ level, counts: own }) => own.map((count) => ({ ...count, level })))
  await sql.rows(
    `insert into log_counts as c (${COUNT_COLUMNS})
     select * from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[])
     on conflict (span, start_ms, level) do update set count = c.count + excluded.count`,
    counts.map(({ span }) => span),
    counts.map(({ startMs }) => startMs),
    counts.map(({ level }) => level),
    counts.map(({ count }) => count),
  )
}
