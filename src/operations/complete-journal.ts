/**
 * Completes the journal of a service, since a recovery knows only the ends that the journals hold: at each start, and
 * from time to time, so that no start has to look far back.
 */
import { LIMITS } from '../settings/limits.ts'
import type { Journal } from '../store/journal.ts'
import { WRITTEN_TOGETHER_MS, writeMissingEnds } from '../store/missing-ends.ts'
import type { Store } from '../store/store.ts'
import { type JournalTails, readKnownEnds, readTails } from './journal-tails.ts'

export interface KeptJournal {
  readonly store: Pick<Store, 'beat' | 'clock' | 'listEnded'>
  readonly journal: Pick<Journal, 'append'>
  readonly folder: string
  readonly database: string
  readonly instanceId: string
}

/**
 * Writes the ends that the journal lacks according to `tails`, and then a `complete` entry. Ends dated in the future,
 * by a clock that was ahead, are left to a start: each look would write them again, since the last lines of a journal
 * do not tell whether it has them.
 */
export async function completeJournal(
  { store, journal, instanceId }: KeptJournal,
  tails: JournalTails,
  { isStart }: { readonly isStart: boolean },
): Promise<void> {
  const nowMs = store.clock.nowMs()
  // A commit that waits for a standby can take long. After this later commit, all ends committed before can be read.
  await store.beat(instanceId)
  const untilMs = isStart ? Number.POSITIVE_INFINITY : nowMs + WRITTEN_TOGETHER_MS
  await writeMissingEnds(store, journal, await readKnownEnds(tails, instanceId, nowMs), nowMs, untilMs)
}

/** Repeats `completeJournal` every `LIMITS.journalLookMs`. Returns a stop that waits for the look under way. */
export function completeOften(kept: KeptJournal): () => Promise<void> {
  let looking: Promise<void> | null = null
  const look = async () => {
    // Fails if the journal cannot be written: otherwise each look would add to the waiting entries.
    await kept.journal.append([])
    await completeJournal(kept, await readTails(kept.folder, kept.database), { isStart: false })
  }
  const timer = setInterval(() => {
    looking ??= look()
      // The next look makes up for one that fails.
      .catch(() => {})
      .finally(() => {
        looking = null
      })
  }, LIMITS.journalLookMs).unref()
  return async () => {
    clearInterval(timer)
    await looking
  }
}
