import type {
  GivenIds,
  Instance,
  JournalEntry,
  ReplayedEntry,
  SessionEnds,
  WrittenEntry,
} from '../store/journal.ts'
import { SYSTEM } from '../core/actions.ts'
import { LIMITS } from '../settings/limits.ts'
import type { Store } from '../store/store.ts'
import { randomId } from '../tokens/random-id.ts'
import type { ActionCode } from './events.ts'

/** What the journals that were found say about themselves. */
interface FoundJournals {
  readonly headers: readonly { readonly instanceId: string; readonly openedAtMs: number }[]
  /** The number of the last write of each instance that wrote them. */
  readonly writes: ReadonlyMap<string, number>
  readonly sessionEnds: SessionEnds
  readonly otherEntries: readonly WrittenEntry[]
}

/** A recovery as an operator asks for it. */
export interface RecoverStoreRequest {
  /** The journal folders of other instances; the one in the data folder is always read. */
  readonly journalFolders: readonly string[]
  /**
   * The operator wants all sessions ended. On PostgreSQL this is the safe choice when a journal may be missing: the
   * restored database knows only the instances that existed when it was written.
   */
  readonly endAll: boolean
  /** The operator accepts that, without complete journals, ended sessions may come back. */
  readonly reviveEnded: boolean
  /** The operator has said that no journal is missing: if the database knows better, nothing is done. */
  readonly demandsAll: boolean
}

export interface RecoverRequest extends Pick<RecoverStoreRequest, 'endAll' | 'reviveEnded'> {
  readonly journals: FoundJournals
  /** The instance in whose journal the recovery is recorded. */
  readonly instanceId: string
  /** Writes an entry into that journal, as the write with this number. */
  readonly write: (entry: JournalEntry, write: number) => Promise<void>
}

export interface Recovered {
  readonly entries: number
  /** Instances that ran when the database was last written and whose journal is missing or incomplete. */
  readonly missing: readonly string[]
  readonly endedAll: boolean
  /** An earlier recovery, unknown to this database, ended all sessions: they stay ended, whatever is asked for now. */
  readonly endedEarlier: boolean
}

export interface RecoveredStore extends Recovered {
  /** Journal files with an unreadable line before their last one. */
  readonly damaged: readonly string[]
}

/** An instance last seen at most this long before the latest one counts as running when the database was written. */
const TOGETHER_MS = 60_000
/**
 * Lifts the count of writes beyond any that another copy of this database can have reached, such as a later backup put
 * in place by hand.
 */
const WRITES_GAP = 1_000_000_000

/**
 * Applies to a restored database what ended after the backup. Without complete journals all sessions end, unless the
 * operator has explicitly accepted that ended ones may come back.
 */
export async function recover(store: Store, request: RecoverRequest): Promise<Recovered> {
  const { journals, endAll, reviveEnded, instanceId } = request
  const instances = await store.listInstances()
  const missing = missingJournals(instances, journals, store.clock.nowMs())
  const { sessionEnds, otherEntries } = journals
  const unheard = notYetWritten(otherEntries, instances)
  const endedEarlier = wasEndedLater(otherEntries, instances)
  const endedAll = endedEarlier || endAll || (missing.length > 0 && !reviveEnded)
  const givenIds = await idsToLeaveOut(store, otherEntries)
  const counted = instances.find((instance) => instance.instanceId === instanceId)?.writes ?? 0
  const write = Math.max(counted, journals.writes.get(instanceId) ?? 0) + WRITES_GAP
  const atMs = store.clock.nowMs()
  // The journal is written first, and the database counts this write only with the recovery: if that fails, the next
  // start demands another recovery, which is bound by this decision.
  await request.write({ kind: 'recovered', endedAll, ids: givenIds, atMs }, write)
  const writes = new Map([...journals.writes, [instanceId, write] as const])
  const count = sessionEnds.length + unheard.length
  // Recorded before the recovery as well, so that nothing is left to fail after it.
  const ended = endedAll ? ', all sessions end' : ''
  await store.recordActions({
    writer: randomId(),
    number: 1,
    actions: [
      {
        accountId: SYSTEM,
        code: 'Store->recovered' satisfies ActionCode,
        message: `Recovery of the database: ${count} entries of journals${ended}`,
        atMs,
        address: null,
        sessionId: null,
      },
    ],
    logs: [],
  })
  await store.recover(oneAfterTheOther(sessionEnds, unheard), { endAll: endedAll, givenIds, writes })
  return { entries: count, missing, endedAll, endedEarlier }
}

/** Ends of single sessions come first, so that an account-wide end does not replace the reason of such a session. */
function oneAfterTheOther(
  sessionEnds: SessionEnds,
  others: readonly ReplayedEntry[],
): Iterable<ReplayedEntry> {
  return {
    *[Symbol.iterator]() {
      yield* sessionEnds
      yield* others
    },
  }
}

/** The instances that ran when the database was written, but have no complete journal from then on. */
export function missingJournals(
  instances: readonly Instance[],
  { headers, writes: counts }: Pick<FoundJournals, 'headers' | 'writes'>,
  nowMs: number,
): readonly string[] {
  const lastAtMs = latestSign(instances)
  const alive = instances.filter((instance) => instance.lastSeenAtMs >= lastAtMs - TOGETHER_MS)
  const covered = ({ instanceId, lastSeenAtMs, writes }: Instance) =>
    // Files older than this are removed.
    lastSeenAtMs >= nowMs - LIMITS.journalKeptMs &&
    headers.some((header) => header.instanceId === instanceId && header.openedAtMs <= lastSeenAtMs) &&
    // A journal with fewer writes lacks entries that the database has counted.
    (counts.get(instanceId) ?? 0) >= writes
  return alive.filter((instance) => !covered(instance)).map((instance) => instance.instanceId)
}

/**
 * The entries that the database may lack. Writes that it has counted are not replayed, because it may since have
 * recorded the opposite, such as that a suspension was lifted or a key removed. There are two exceptions. A key is
 * journaled before it is stored, so one from around the time of the backup may be missing. And ending a session twice
 * does no harm, so account-wide ends are replayed session by session, which spares sessions that the account has opened
 * since.
 */
function notYetWritten(
  entries: readonly WrittenEntry[],
  instances: readonly Instance[],
): readonly ReplayedEntry[] {
  const isUnheard = unheardOf(instances)
  const keysFromMs = latestSign(instances) - TOGETHER_MS
  return entries.flatMap((entry): readonly ReplayedEntry[] => {
    if (entry.kind === 'complete' || entry.kind === 'recovered') return []
    if (isUnheard(entry)) return [entry]
    const { kind, atMs } = entry
    if (kind === 'key' && atMs >= keysFromMs) return [entry]
    if (kind !== 'account-sessions') return []
    return entry.sessionIds.map((sessionId) => ({ kind: 'session', sessionId, reason: entry.reason, atMs }))
  })
}

/** Tells whether the database has not counted the write of an entry. */
function unheardOf(instances: readonly Instance[]): (entry: WrittenEntry) => boolean {
  const counted = new Map(instances.map(({ instanceId, writes }) => [instanceId, writes]))
  return ({ instanceId, write }) => write > (counted.get(instanceId) ?? 0)
}

/** Whether a recovery unknown to this database ended all sessions: that includes every session in this database. */
function wasEndedLater(entries: readonly WrittenEntry[], instances: readonly Instance[]): boolean {
  const isUnheard = unheardOf(instances)
  return entries.some((entry) => entry.kind === 'recovered' && entry.endedAll && isUnheard(entry))
}

/** Ids up to these are skipped: a gap beyond all that the database, or a journaled recovery, counts as given out. */
async function idsToLeaveOut(store: Store, entries: readonly WrittenEntry[]): Promise<GivenIds> {
  const given = { ...(await store.givenIds()) }
  for (const entry of entries) {
    if (entry.kind !== 'recovered') continue
    given.accounts = Math.max(given.accounts, entry.ids.accounts)
    given.applications = Math.max(given.applications, entry.ids.applications)
  }
  return {
    accounts: given.accounts + LIMITS.recoveryIdGap,
    applications: given.applications + LIMITS.recoveryIdGap,
  }
}

function latestSign(instances: readonly Instance[]): number {
  return Math.max(0, ...instances.map((instance) => instance.lastSeenAtMs))
}
