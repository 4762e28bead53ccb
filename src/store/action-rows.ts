/** Maps rows of the audit trail and of the log's statistics, as `rows.ts` does for all other rows. */
import type { CountOfInterval } from '../core/action-stats.ts'
import type { ActionKind } from '../core/actions.ts'
import type { CountOfSpan, LogLevel } from '../core/log-stats.ts'
import type { Span } from '../core/periods.ts'
import type { LogLevelTotal, StoredAction } from './action-store.ts'
import type { Row } from './rows.ts'

const ACTION = ['id', 'account_id', 'code', 'message', 'at_ms', 'address', 'session_id']
const LOG_LEVEL = ['level', 'total', 'first_message', 'first_at_ms', 'last_message', 'last_at_ms']

export const ACTION_COLUMNS = ACTION.join(', ')
export const COUNT_COLUMNS = 'span, start_ms, level, count'
export const LEVEL_COLUMNS = LOG_LEVEL.join(', ')

export function actionFrom(row: Row): StoredAction {
  return {
    id: row[0] as number,
    accountId: row[1] as number,
    code: row[2] as string,
    message: row[3] as string,
    atMs: row[4] as number,
    address: row[5] as string | null,
    sessionId: row[6] as string | null,
  }
}

export function actionCountFrom(row: Row): CountOfInterval {
  const [interval, kind, code, count] = row
  return {
    interval: interval as number,
    kind: kind as ActionKind,
    code: code as string,
    count: count as number,
  }
}

export function logCountFrom(row: Row): CountOfSpan {
  const [span, startMs, level, count] = row
  return {
    span: span as Span,
    startMs: startMs as number,
    level: level as LogLevel,
    count: count as number,
  }
}

export function logLevelFrom(row: Row): LogLevelTotal {
  return {
    level: row[0] as LogLevel,
    total: row[1] as number,
    first: { message: row[2] as string, atMs: row[3] as number },
    last: { message: row[4] as string, atMs: row[5] as number },
  }
}
