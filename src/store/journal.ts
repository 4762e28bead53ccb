/**
 * What must survive a restored backup: every end and every signing key, written outside the database before it is
 * acknowledged. `docs/durability.md` tells how recovery uses the journal.
 */
import type { AccountStatus } from '../core/account.ts'
import type { EndReason } from '../core/session.ts'
import type { StoredKey } from './store.ts'

export type JournalEntry =
  | {
      readonly kind: 'session'
      readonly sessionId: string
      readonly reason: EndReason
      readonly atMs: number
    }
  /** Ends all sessions of an account that were opened until `atMs`, except `exceptSessionId`. */
  | {
      readonly kind: 'account-sessions'
      readonly accountId: number
      readonly reason: EndReason
      readonly exceptSessionId: string | null
      /** The sessions that ended: one may have been opened after `atMs`, by a clock that was ahead. */
      readonly sessionIds: readonly string[]
      readonly atMs: number
    }
  | {
      readonly kind: 'account-status'
      readonly accountId: number
      readonly status: AccountStatus
      readonly atMs: number
    }
  | {
      readonly kind: 'application'
      readonly applicationId: number
      readonly disabled: boolean
      readonly epoch: number
      readonly atMs: number
    }
  | {
      readonly kind: 'key'
      readonly key: StoredKey
      /** When the keys before this one retire; left out for a first key. */
      readonly othersRetireAtMs?: number
      readonly atMs: number
    }
  /**
   * `writeMissingEnds` has looked: no end dated more than `WRITTEN_TOGETHER_MS` before `atMs` is missing. It looked at
   * ends from `fromMs` on; entries of earlier versions do not say that.
   */
  | { readonly kind: 'complete'; readonly fromMs?: number; readonly atMs: number }
  /** A recovery, which a later recovery of the same backup must not undo. */
  | {
      readonly kind: 'recovered'
      readonly endedAll: boolean
      /** Ids up to these count as given out. */
      readonly ids: GivenIds
      readonly atMs: number
    }

/** The greatest ids that may have been given out. */
export interface GivenIds {
  readonly accounts: number
  readonly applications: number
}

const KINDS: Readonly<Record<JournalEntry['kind'], true>> = {
  session: true,
  'account-sessions': true,
  'account-status': true,
  application: true,
  key: true,
  complete: true,
  recovered: true,
}

/** The end of one session; most entries are of this kind. */
export type SessionEnd = Extract<JournalEntry, { readonly kind: 'session' }>

/** Possibly more ends than fit into memory; can be iterated more than once. */
export interface SessionEnds extends Iterable<SessionEnd> {
  readonly length: number
}

/** An entry that a recovery applies to the database. */
export type ReplayedEntry = Exclude<JournalEntry, { readonly kind: 'complete' | 'recovered' }>

/**
 * An entry with the instance that wrote it, and the number of that instance's write: the first one that was counted for
 * it, where several tries were needed.
 */
export type WrittenEntry = JournalEntry & { readonly instanceId: string; readonly write: number }

export function isJournalEntry(value: object): value is JournalEntry {
  const { kind, atMs } = value as Partial<JournalEntry>
  return typeof kind === 'string' && Object.hasOwn(KINDS, kind) && typeof atMs === 'number'
}

/** Said of a database that was set back while this process used it. */
export const SET_BACK =
  'the database was set back to an older copy while in use: stop the service and run `duktig recover`'

export interface Journal {
  /** Whether the database is known to lack writes of this journal that it had counted: it was set back. */
  readonly isSetBack: boolean
  /** Compares the number of writes that the database has counted, as `counted` reads it, with those of this process. */
  compare(counted: () => Promise<number>): Promise<void>
  /** Whether all ends of this time are known to be in the journal, because this process has looked (`missing-ends.ts`). */
  covers(endedAtMs: number): boolean
  /**
   * Resolves when the entries and all earlier ones are durable. Without entries, waits for the earlier ones.
   * @throws {StoreUnavailable} when the journal cannot be written; the entries then wait, unless too many do already
   */
  append(entries: readonly JournalEntry[]): Promise<void>
  /**
   * Like `append` without entries, and begins the file of the day even if nothing ended: a service's journal says each
   * day that it is complete, while old files are removed.
   */
  keepUp(): Promise<void>
  close(): Promise<void>
}

/** An instance as the database knows it, so that a recovery knows whose journals it needs. */
export interface Instance {
  readonly instanceId: string
  readonly lastSeenAtMs: number
  /** How many writes of the instance's journal the database has counted. */
  readonly writes: number
}
