import type { Instance, Journal, JournalEntry } from '../store/journal.ts'
import { SYSTEM } from '../core/actions.ts'
import { LIMITS } from '../settings/limits.ts'
import type { Store } from '../store/store.ts'
import { randomId } from '../tokens/random-id.ts'

/** What the journals that were found say about themselves. */
export interface FoundJournals {
  readonly headers: readonly { readonly instanceId: string; readonly openedAtMs: number }[]
  readonly instanceIds: readonly string[]
  readonly entries: readonly JournalEntry[]
}

export interface RecoverRequest {
  readonly journals: FoundJournals
  /** Somebody vouches that no instance's journal is missing; the database cannot know of instances that came after it. */
  readonly allGiven: boolean
  /** Somebody accepts that ended sessions may come back. */
  readonly reviveEnded: boolean
  /** Where it is written that there was a recovery, so that none of the same backup after it takes anything back. */
  readonly journal: Journal
}

/** A recovery as an operator asks for it. */
export interface RecoverStoreRequest {
  /** Those of the instances. */
  readonly journalFolders: readonly string[]
  /** Somebody vouches that no instance is missing. SQLite has only one. */
  readonly theseAreAll: boolean
  /** Without complete journals, somebody accepts that ended sessions come back. */
  readonly reviveEnded: boolean
}

export interface Recovered {
  readonly entries: number
  /** Instances that lived when the database was last written and whose journal is missing. */
  readonly missing: readonly string[]
  readonly endedAll: boolean
}

/** An instance seen within this time of the last one lived when the database was written. */
const TOGETHER_MS = 60_000

/**
 * Brings a restored database up to the ends that came after it. Without complete journals all sessions end, unless
 * somebody has accepted in so many words that ended ones may come back.
 */
export async function recover(store: Store, request: RecoverRequest): Promise<Recovered> {
  const { journals, allGiven, reviveEnded, journal } = request
  const instances = await store.listInstances()
  const missing = missingJournals(instances, journals, store.clock.nowMs())
  const entries = notYetWritten(journals.entries, instances)
  const endedAll = !(allGiven && missing.length === 0) && !reviveEnded
  const ids = await store.recover(entries, {
    endAll: endedAll,
    idGap: LIMITS.recoveryIdGap,
    instanceIds: journals.instanceIds,
    writtenToMs: journals.entries.at(-1)?.atMs ?? 0,
  })
  const atMs = store.clock.nowMs()
  await journal.append([{ kind: 'recovered', endedAll, ids, atMs }])
  const ended = endedAll ? ', all sessions ended' : ''
  await store.recordActions({
    writer: randomId(),
    number: 1,
    actions: [
      {
        accountId: SYSTEM,
        code: 'Store->recovered',
        message: `Database recovered: ${entries.length} entries of journals${ended}`,
        atMs,
        address: null,
        sessionId: null,
      },
    ],
    logs: [],
  })
  return { entries: entries.length, missing, endedAll }
}

/** Those who lived at the time of the backup must have a journal that begins before it. */
function missingJournals(
  instances: readonly Instance[],
  { headers }: FoundJournals,
  nowMs: number,
): readonly string[] {
  const lastAtMs = latestSign(instances)
  const alive = instances.filter((instance) => instance.lastSeenAtMs >= lastAtMs - TOGETHER_MS)
  const covered = ({ instanceId, lastSeenAtMs }: Instance) =>
    // Older files are removed.
    lastSeenAtMs >= nowMs - LIMITS.journalKeptMs &&
    headers.some((header) => header.instanceId === instanceId && header.openedAtMs <= lastSeenAtMs)
  return alive.filter((instance) => !covered(instance)).map((instance) => instance.instanceId)
}

/**
 * What the database may not know. That somebody was suspended before it was written it knows, and perhaps also that this was
 * taken back; ends and keys may be written twice without harm.
 */
function notYetWritten(
  entries: readonly JournalEntry[],
  instances: readonly Instance[],
): readonly JournalEntry[] {
  const writtenAtMs = latestSign(instances) - TOGETHER_MS
  const states: readonly JournalEntry['kind'][] = ['account-status', 'application', 'application-disabled']
  const isState = ({ kind }: JournalEntry) => states.includes(kind)
  return entries.filter((entry) => !isState(entry) || entry.atMs >= writtenAtMs)
}

function latestSign(instances: readonly Instance[]): number {
  return Math.max(0, ...instances.map((instance) => instance.lastSeenAtMs))
}
