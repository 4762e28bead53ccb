/** The part of the store that knows of instances and restored databases. What `store.ts` says of all verbs holds here. */
import type { EndReason } from '../core/session.ts'
import type { GivenIds, Instance, ReplayedEntry } from './journal.ts'

export interface EndedSession {
  readonly sessionId: string
  readonly reason: EndReason
  readonly endedAtMs: number
}

export interface RecoverOptions {
  readonly endAll: boolean
  /** No account or application gets an id up to these any more. */
  readonly givenIds: GivenIds
  /** Those whose journals were taken over, with the number of their last write. */
  readonly writes: ReadonlyMap<string, number>
}

export interface RecoveryStore {
  /** When the database was made, as its name: its backups have the same one. */
  databaseId(): Promise<string>
  /** Notes that an instance lives. */
  beat(instanceId: string): Promise<void>
  /** Counts a write of an instance's journal, which is to come once this is durable. Its number: each is greater than the last. */
  countWrite(instanceId: string): Promise<number>
  /** The instances there have been, with when they were last seen by their own word. */
  listInstances(): Promise<readonly Instance[]>
  /** The greatest ids that the database knows to have been given out. */
  givenIds(): Promise<GivenIds>
  /**
   * After a restore, in one transaction: ends what the journals ended, adds the keys they hold, leaves the ids out that may have
   * been given out, notes that the instances are heard of again. `endAll` ends every session. For the others it is a hand-out and
   * a use, unless they had been idle too long when an instance was last seen: they stay over. The database counts as recovered.
   * The entries are gone through once more when the transaction has to be tried again.
   */
  recover(entries: Iterable<ReplayedEntry>, options: RecoverOptions): Promise<void>
  /**
   * Whether a backup was put in place that has not been recovered. Never with PostgreSQL, which is restored with tools that say
   * nothing of it.
   */
  awaitsRecovery(): Promise<boolean>
  /** At most `limit` of the sessions that ended after another, in the order of their ends and ids; not those that a recovery ended. */
  listEnded(
    after: Pick<EndedSession, 'endedAtMs' | 'sessionId'>,
    limit: number,
  ): Promise<readonly EndedSession[]>
}
