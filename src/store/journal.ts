/**
 * What must survive a restored backup: every end, and every signing key, written outside the database before it is
 * acknowledged. `docs/durability.md` tells how recovery uses it.
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
  /** All sessions of an account that were opened until then, but for one if it is named. */
  | {
      readonly kind: 'account-sessions'
      readonly accountId: number
      readonly reason: EndReason
      readonly exceptSessionId: string | null
      /** Those that it was: one may have been opened by a clock that was ahead. */
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
      /** When those before it retire; left out for a first key. */
      readonly othersRetireAtMs?: number
      readonly atMs: number
    }
  /** Of what ended before, nothing is missing: `writeMissingEnds` has looked. */
  | { readonly kind: 'complete'; readonly atMs: number }
  /** A recovery, which another one of the same backup must not take back. */
  | {
      readonly kind: 'recovered'
      readonly endedAll: boolean
      /** Ids up to these count as given out since. */
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

/** The end of one session, such as most entries are. */
export type SessionEnd = Extract<JournalEntry, { readonly kind: 'session' }>

/** Perhaps more than fit into memory; they can be gone through more than once. */
export interface SessionEnds extends Iterable<SessionEnd> {
  readonly length: number
}

/** What a recovery carries out in the database. */
export type ReplayedEntry = Exclude<JournalEntry, { readonly kind: 'complete' | 'recovered' }>

/** An entry as it was written: by whom, and with which of his writes. */
export type WrittenEntry = JournalEntry & { readonly instanceId: string; readonly write: number }

export function isJournalEntry(value: object): value is JournalEntry {
  const { kind, atMs } = value as Partial<JournalEntry>
  return typeof kind === 'string' && Object.hasOwn(KINDS, kind) && typeof atMs === 'number'
}

export interface Journal {
  /**
   * Durable when it resolves, together with everything that was appended before. Called with nothing it waits for that.
   * @throws {StoreUnavailable} when the journal cannot be written; the entries stay first in line
   */
  append(entries: readonly JournalEntry[]): Promise<void>
  /** As `append` with nothing, and what has begun in time is kept on: a service's journal says each day that it is complete. */
  keepUp(): Promise<void>
  close(): Promise<void>
}

/** What an instance says about itself, so that a recovery knows whose journals it needs. */
export interface Instance {
  readonly instanceId: string
  readonly lastSeenAtMs: number
  /** How many writes of its journal the database has heard of. */
  readonly writes: number
}
