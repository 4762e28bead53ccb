/** The part of the store that knows of instances and restored databases. What `store.ts` says of all verbs holds here. */
import type { EndReason } from '../core/session.ts'
import type { GivenIds, Instance, JournalEntry } from './journal.ts'

export interface EndedSession {
  readonly sessionId: string
  readonly reason: EndReason
  readonly endedAtMs: number
}

export interface RecoverOptions {
  readonly endAll: boolean
  readonly idGap: number
  /** Those whose journals were taken over, and the time of the last entry of these. */
  readonly instanceIds: readonly string[]
  readonly writtenToMs: number
}

export interface RecoveryStore {
  /** Notes that an instance lives, and has lived at `atLeastMs`; what was noted before is not taken back. */
  beat(instanceId: string, atLeastMs?: number): Promise<void>
  /** The instances there have been, with when they were last seen by their own word. */
  listInstances(): Promise<readonly Instance[]>
  /**
   * After a restore, in one transaction: ends what the journals ended, adds the keys they hold, leaves a gap in the
   * ids of accounts and applications, notes that the instances are heard of again. `endAll` ends every session. For the
   * others it is a hand-out and a use, unless they had been idle too long when an instance was last seen: they stay over.
   * The ids that count as given out afterwards.
   */
  recover(entries: readonly JournalEntry[], options: RecoverOptions): Promise<GivenIds>
  /** The newest `limit` of the sessions that ended at or after a time, not by a recovery. */
  listEnded(sinceMs: number, limit: number): Promise<readonly EndedSession[]>
}
