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
  /** Who wrote them, with the number of his last write. */
  readonly writes: ReadonlyMap<string, number>
  readonly sessionEnds: SessionEnds
  readonly otherEntries: readonly WrittenEntry[]
}

export interface RecoverRequest {
  readonly journals: FoundJournals
  /** Somebody wants all sessions ended, whatever the journals say. */
  readonly endAll: boolean
  /** Somebody accepts that ended sessions may come back. */
  readonly reviveEnded: boolean
  /** Whose journal is told of it. */
  readonly instanceId: string
  /** Writes an entry into that journal, under the number of its write. */
  readonly write: (entry: JournalEntry, write: number) => Promise<void>
}

/** A recovery as an operator asks for it. */
export interface RecoverStoreRequest {
  /** Those of other instances; the one of the data folder is read in any case. */
  readonly journalFolders: readonly string[]
  /**
   * Somebody wants all sessions ended. On PostgreSQL whoever cannot vouch that no instance's journal is missing: the database
   * knows only of those that there were when it was written.
   */
  readonly endAll: boolean
  /** Without complete journals, somebody accepts that ended sessions come back. */
  readonly reviveEnded: boolean
}

export interface Recovered {
  readonly entries: number
  /** Instances that lived when the database was last written and whose journal is missing. */
  readonly missing: readonly string[]
  readonly endedAll: boolean
  /** Since an earlier recovery had, of which this database knows nothing: that stays so, whatever is asked now. */
  readonly endedEarlier: boolean
}

export interface RecoveredStore extends Recovered {
  /** Files of journals that have a line that cannot be read. */
  readonly damaged: readonly string[]
}

/** An instance seen within this time of the last one lived when the database was written. */
const TOGETHER_MS = 60_000
/** Beyond any count that another copy of this database can have reached, such as a later backup put in place by hand. */
const WRITES_GAP = 1_000_000_000

/**
 * Brings a restored database up to the ends that came after it. Without complete journals all sessions end, unless
 * somebody has accepted in so many words that ended ones may come back.
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
  // Written first, and counted by the database only with the recovery: if that fails, the next start demands another
  // recovery, which is bound by what this one has decided.
  await request.write({ kind: 'recovered', endedAll, ids: givenIds, atMs }, write)
  const writes = new Map([...journals.writes, [instanceId, write] as const])
  const count = sessionEnds.length + unheard.length
  // Before it as well, so that nothing is left to fail once it is done.
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

/** Where all sessions of an account ended, one that had ended alone before keeps its own reason: so these come first. */
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

/** Those who lived at the time of the backup must have a journal that begins before it. */
function missingJournals(
  instances: readonly Instance[],
  { headers, writes: counts }: FoundJournals,
  nowMs: number,
): readonly string[] {
  const lastAtMs = latestSign(instances)
  const alive = instances.filter((instance) => instance.lastSeenAtMs >= lastAtMs - TOGETHER_MS)
  const covered = ({ instanceId, lastSeenAtMs, writes }: Instance) =>
    // Older files are removed.
    lastSeenAtMs >= nowMs - LIMITS.journalKeptMs &&
    headers.some((header) => header.instanceId === instanceId && header.openedAtMs <= lastSeenAtMs) &&
    // Else it lacks what the database has heard of.
    (counts.get(instanceId) ?? 0) >= writes
  return alive.filter((instance) => !covered(instance)).map((instance) => instance.instanceId)
}

/**
 * What the database may not know. What it has heard of was in it: that somebody was suspended, and perhaps also that this was taken
 * back; that a key was added, unless it was written at that moment, and perhaps also that it has been removed. Ends may be written
 * twice without harm, session by session: an account has others since. So the ends of single sessions are all taken over.
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

/** Whether the database has not heard of the write of an entry. */
function unheardOf(instances: readonly Instance[]): (entry: WrittenEntry) => boolean {
  const counted = new Map(instances.map(({ instanceId, writes }) => [instanceId, writes]))
  return ({ instanceId, write }) => write > (counted.get(instanceId) ?? 0)
}

/** Whether a recovery that the database has not heard of ended all sessions: all that this database has are of before it. */
function wasEndedLater(entries: readonly WrittenEntry[], instances: readonly Instance[]): boolean {
  const isUnheard = unheardOf(instances)
  return entries.some((entry) => entry.kind === 'recovered' && entry.endedAll && isUnheard(entry))
}

/** Behind what the database gave out, and what was given out after recoveries of the same backup. */
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
