/**
 * The part of the store that keeps recorded actions and counts. Counters are written together with what they count,
 * so that statistics never read the actions. Guarantees beside the verbs; what `store.ts` says of all verbs holds here.
 */
import type { ActionKind, RecordedAction } from '../core/actions.ts'
import type { LogLevel } from '../core/log-stats.ts'
import type { Span } from '../core/periods.ts'

export interface StoredAction extends RecordedAction {
  /** Grows in the order in which actions became visible, on all instances together. */
  readonly id: number
}

/** The lines of one level that have been logged since the group before. */
export interface LogTally {
  readonly level: LogLevel
  readonly total: number
  readonly first: LoggedLine
  readonly last: LoggedLine
  readonly counts: readonly { readonly span: Span; readonly startMs: number; readonly count: number }[]
}

export interface LoggedLine {
  readonly message: string
  readonly atMs: number
}

export interface ActionGroup {
  /** Whoever writes, by a name nobody else has, and which one of his groups this is; numbers grow. */
  readonly writer: string
  readonly number: number
  readonly actions: readonly RecordedAction[]
  readonly logs: readonly LogTally[]
}

export interface ActionCount {
  /** Which of the intervals that were asked for. */
  readonly interval: number
  readonly kind: ActionKind
  readonly code: string
  readonly count: number
}

export interface LogCount {
  readonly span: Span
  readonly startMs: number
  readonly level: LogLevel
  readonly count: number
}

/** All lines that were ever logged at a level. */
export interface LogLevelTotal {
  readonly level: LogLevel
  readonly total: number
  readonly first: LoggedLine
  readonly last: LoggedLine
}

/** What is older than these times is removed. */
export interface OldCounts {
  readonly actionsBeforeMs: number
  readonly logsBeforeMs: Readonly<Record<Span, number>>
  readonly writersBeforeMs: number
}

export interface ActionStore {
  /**
   * Writes a group with its counters, all or nothing. A group that has been written before is not written again, so
   * that it may be sent until an answer comes. False if it had been written.
   */
  recordActions(group: ActionGroup): Promise<boolean>
  /** The actions of an account between two times, both included; newest first. */
  listActions(
    accountId: number,
    offset: number,
    limit: number,
    fromMs: number,
    toMs: number,
  ): Promise<readonly StoredAction[]>
  /** The actions recorded last, of whomever; newest first. */
  latestActions(limit: number): Promise<readonly StoredAction[]>
  /** Actions in the order of their ids, from the one after `id` on. Who follows so never misses one. */
  actionsAfter(id: number, limit: number): Promise<readonly StoredAction[]>
  /** How often each code was recorded since each of these times, counted from the start of the hour. */
  actionCounts(sinceMs: readonly number[]): Promise<readonly ActionCount[]>
  /** The counters of log lines of each span that start at these times or later. */
  logCounts(sinceMs: Readonly<Record<Span, number>>): Promise<readonly LogCount[]>
  logLevels(): Promise<readonly LogLevelTotal[]>
  /** Looks at the `limit` oldest actions and removes those from before this time. How many it removed. */
  removeOldActions(beforeMs: number, limit: number): Promise<number>
  /** Removes counters that no answer needs any more, and the names of writers who have long been silent. */
  removeOldCounts(old: OldCounts): Promise<void>
}
