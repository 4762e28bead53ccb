/**
 * The part of the store that knows about instances and restored databases. The guarantees that `store.ts` gives for all
 * verbs hold here too.
 */
import type { EndReason } from '../core/session.ts'
import type { GivenIds, Instance, ReplayedEntry } from './journal.ts'

export interface EndedSession {
  readonly sessionId: string
  readonly reason: EndReason
  readonly endedAtMs: number
}

export interface RecoverOptions {
  readonly endAll: boolean
  /** From then on no account or application gets an id up to these. */
  readonly givenIds: GivenIds
  /** The instances whose journals were read, with the number of their last write. */
  readonly writes: ReadonlyMap<string, number>
}

export interface RecoveryStore {
  /** The time at which the database was made, which is its id: backups have the same one. */
  databaseId(): Promise<string>
  /** Notes that an instance is alive. Returns how many writes of its journal have been counted. */
  beat(instanceId: string): Promise<number>
  /** How many connections other processes of Duktig have to the database; on SQLite 0, because a lock keeps them out. */
  otherConnections(): Promise<number>
  /** Durably counts a write of an instance's journal before it happens. Returns its number, greater than all before. */
  countWrite(instanceId: string): Promise<number>
  /** All instances there have been, with their last sign of life, by the store's clock. */
  listInstances(): Promise<readonly Instance[]>
  /** The greatest ids that the database knows to have been given out. */
  givenIds(): Promise<GivenIds>
  /**
   * Recovers a restored database in one transaction: applies the entries, skips ids that may have been given out, and
   * notes the instances with their writes. `endAll` ends every session. A session that lives on counts as handed out
   * and used now, unless it was already idle for too long when an instance was last seen: then it stays over. Tokens of
   * the original whose sessions ended open none any more, even if their accounts are imported only later. The database
   * then counts as recovered. A retry of the transaction iterates the entries again.
   */
  recover(entries: Iterable<ReplayedEntry>, options: RecoverOptions): Promise<void>
  /**
   * Whether the database is a backup that has not been recovered yet. Always false on PostgreSQL, whose restore tools
   * leave no mark.
   */
  awaitsRecovery(): Promise<boolean>
  /** At most `limit` sessions that ended after `after`, by end and id, without those ended by a recovery's `endAll`. */
  listEnded(
    after: Pick<EndedSession, 'endedAtMs' | 'sessionId'>,
    limit: number,
  ): Promise<readonly EndedSession[]>
  /** The sessions of an account that ended for `reason` at one moment; at any if that is null. */
  listEndedFor(
    accountId: number,
    reason: EndReason,
    endedAtMs: number | null,
  ): Promise<readonly EndedSession[]>
}
