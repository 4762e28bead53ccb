/** Actions, groups of them and log lines, as a recorder would hand them to the store. */
import type { RecordedAction } from '../../src/core/actions.ts'
import type { ActionGroup, LogTally } from '../../src/store/action-store.ts'

export const NOON = Date.UTC(2026, 2, 10, 12)

export function anAction(over: Partial<RecordedAction> = {}): RecordedAction {
  const what = { code: 'User->getAccount', message: 'Account read', atMs: NOON }
  return { accountId: 7, ...what, address: '192.0.2.1', sessionId: 'session-1', ...over }
}

let made = 0

/** A group of a new writer, unless `over` says otherwise. */
export function aGroup(actions: readonly RecordedAction[], over: Partial<ActionGroup> = {}): ActionGroup {
  made += 1
  return { writer: `writer-${made}`, number: 1, actions, logs: [], ...over }
}

export function lines(level: LogTally['level'], atMs: number, count: number, message: string): LogTally {
  const line = { message, atMs }
  const startMs = Math.floor(atMs / 60_000) * 60_000
  return { level, total: count, first: line, last: line, counts: [{ span: 'minute', startMs, count }] }
}
