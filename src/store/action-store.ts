/**
 * The part of the store that keeps recorded actions and counts. Counters are written together with what they count, so
 * that statistics never read the actions. The guarantees that `store.ts` gives for all verbs hold here too.
 */
import type { CountOfInterval } from '../core/action-stats.ts'
import type { RecordedAction } from '../core/actions.ts'
import type { CountOfSpan, LogLevel } from '../core/log-stats.ts'
import type { Span } from '../core/periods.ts'

export interface StoredAction extends RecordedAction {
  /** Grows in the order in which actions became visible, on all instances together. */
  readonly id: number
}

/** The lines of one level logged since the previous group. */
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
  /** The unique name of the writer, and the number of this group among the writer's; numbers grow. */
  readonly writer: string
  readonly number: number
  readonly actions: readonly RecordedAction[]
  readonly logs: readonly LogTally[]
}

/** All lines that were ever logged at a level. */
export interface LogLevelTotal {
  readonly level: LogLevel
  readonly total: number
  readonly first: LoggedLine
  readonly last: LoggedLine
}

/** Counts and writers older than these times are removed. */
export interface OldCounts {
  readonly actionsBeforeMs: number
  readonly logsBeforeMs: Readonly<Record<Span, number>>
  readonly writersBeforeMs: number
}

export interface ActionStore {
  /**
   * Writes a group with its counters, all or nothing. A group that has been written before is not written again, so
   * that a caller may send it until an answer comes. False if the group was written before.
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
  /** The actions recorded last, of all accounts; newest first. */
  latestActions(limit: number): Promise<readonly StoredAction[]>
  /** The actions after `id`, by their ids. A reader that goes on from the last id it has seen never misses one. */
  actionsAfter(id: number, limit: number): Promise<readonly StoredAction[]>
  /** How often each code was recorded since the start of the hour of each of these times. */
  actionCounts(sinceMs: readonly number[]): Promise<readonly CountOfInterval[]>
  /** The counters of log lines that start at or after the time given for their span. */
  logCounts(sinceMs: Readonly<Record<Span, number>>): Promise<readonly CountOfSpan[]>
  logLevels(): Promise<readonly LogLevelTotal[]>
  /** Looks at the `limit` oldest actions and removes those from before this time. Returns how many it removed. */
  removeOldActions(beforeMs: number, limit: number): Promise<number>
  /** Removes counters that no answer needs any more, and the names of writers that have long been silent. */
  removeOldCounts(old: OldCounts): Promise<void>
}
