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
import { listActions, noteTimes, removeEmptySegments } from './action-segments.ts'
import type { Connection } from './connection.ts'

/** The verbs about recorded actions and counters; guarantees in `action-store.ts`. */
export function actionStore(connection: Connection): ActionStore {
  const rows = (sql: string, ...values: (string | number)[]) =>
    connection.read(() => connection.rows(sql, ...values))
  return {
    recordActions: (group) => connection.write(() => record(connection, group)),

    async listActions(accountId, offset, limit, fromMs, toMs) {
      return (await listActions(connection, { accountId, offset, limit, fromMs, toMs })).map(actionFrom)
    },

    async latestActions(limit) {
      return rows(`select ${ACTION_COLUMNS} from user_actions order by id desc limit ?`, limit).map(
        actionFrom,
      )
    },

    async actionsAfter(id, limit) {
      const sql = `select ${ACTION_COLUMNS} from user_actions where id > ? order by id limit ?`
      return rows(sql, id, limit).map(actionFrom)
    },

    async actionCounts(sinceMs) {
      const counts = rows(COUNT, JSON.stringify(sinceMs.map(edgesOf))).map(actionCountFrom)
      return counts.filter(({ count }) => count > 0)
    },

    async logCounts(sinceMs) {
      return Object.entries(sinceMs).flatMap(([span, startMs]) =>
        rows(`select ${COUNT_COLUMNS} from log_counts where span = ? and start_ms >= ?`, span, startMs).map(
          logCountFrom,
        ),
      )
    },

    async logLevels() {
      return rows(`select ${LEVEL_COLUMNS} from log_levels order by level`).map(logLevelFrom)
    },

    removeOldActions: (beforeMs, limit) =>
      connection.write(() => {
        const removed = connection.run(
          `delete from user_actions where id in (
             select id from (select id, at_ms from user_actions order by id limit ?) where at_ms < ?)`,
          limit,
          beforeMs,
        )
        removeEmptySegments(connection)
        return removed
      }),

    removeOldCounts: ({ actionsBeforeMs, logsBeforeMs, writersBeforeMs }) =>
      connection.write(() => {
        const { hourMs, dayMs, monthMs } = edgesOf(actionsBeforeMs)
        const pairs = connection.rows(`with ${PAIRS} select kind, code from pairs where code is not null`)
        const remove = connection.sql(
          'delete from action_counts where span = ? and kind = ? and code = ? and start_ms < ?',
        )
        for (const [kind, code] of pairs as readonly [string, string][]) {
          remove.run('month', kind, code, monthMs)
          remove.run('day', kind, code, dayMs)
          remove.run('hour', kind, code, hourMs)
        }
        const removeLogs = connection.sql('delete from log_counts where span = ? and start_ms < ?')
        for (const [span, beforeMs] of Object.entries(logsBeforeMs)) removeLogs.run(span, beforeMs)
        connection.run('delete from action_writers where at_ms < ?', writersBeforeMs)
      }),
  }
}

const COUNT = `
  with ${PAIRS},
  edges as (
    select key as place, value ->> 'hourMs' as hour_ms, value ->> 'dayMs' as day_ms, value ->> 'monthMs' as month_ms
    from json_each(?))
  select e.place, p.kind, p.code, ${SUM} from edges e cross join pairs p where p.code is not null`

function record(connection: Connection, group: ActionGroup): boolean {
  const isNew = connection.run(
    `insert into action_writers as w (writer, last_group, at_ms) values (?, ?, ?)
     on conflict (writer) do update set last_group = excluded.last_group, at_ms = excluded.at_ms
     where w.last_group < excluded.last_group`,
    group.writer,
    group.number,
    connection.clock.nowMs(),
  )
  if (isNew === 0) return false
  const insert = connection.sql(
    `insert into user_actions (account_id, code, message, at_ms, address, session_id) values (?, ?, ?, ?, ?, ?)`,
  )
  for (const { accountId, code, message, atMs, address, sessionId } of group.actions)
    insert.run(accountId, code, message, atMs, address, sessionId)
  noteTimes(connection, group.actions.length)
  const count = connection.sql(
    `insert into action_counts (span, kind, code, start_ms, count) values (?, ?, ?, ?, ?)
     on conflict do update set count = count + excluded.count`,
  )
  for (const tally of tallyActions(group.actions))
    count.run(tally.span, tally.kind, tally.code, tally.startMs, tally.count)
  for (const log of group.logs) addLog(connection, log)
  return true
}

function addLog(connection: Connection, { level, total, first, last, counts }: LogTally): void {
  connection.run(
    `insert into log_levels as l (${LEVEL_COLUMNS}) values (?, ?, ?, ?, ?, ?)
     on conflict (level) do update set total = total + excluded.total,
     first_message = iif(excluded.first_at_ms < first_at_ms, excluded.first_message, first_message),
     first_at_ms = min(excluded.first_at_ms, first_at_ms),
     last_message = iif(excluded.last_at_ms >= last_at_ms, excluded.last_message, last_message),
     last_at_ms = max(excluded.last_at_ms, last_at_ms)`,
    level,
    total,
    first.message,
    first.atMs,
    last.message,
    last.atMs,
  )
  const add = connection.sql(
    `insert into log_counts (${COUNT_COLUMNS}) values (?, ?, ?, ?)
     on conflict do update set count = count + excluded.count`,
  )
  for (const { span, startMs, count } of counts) add.run(span, startMs, level, count)
}
