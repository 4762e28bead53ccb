/** Keeps the journal of a service complete, so that neither a recovery nor a start has to look far back. */
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
 * Writes what the journal lacks, by what stood in it before, and that nothing is missing any more. What a clock that was ahead dated
 * later than now is written by a start alone: only by reading everything could each look know that it has been.
 */
export async function completeJournal(
  { store, journal, instanceId }: KeptJournal,
  tails: JournalTails,
  isStart: boolean,
): Promise<void> {
  const nowMs = store.clock.nowMs()
  // An end may wait long for its commit, with a standby that is gone. Behind a commit that came after it, it is seen.
  await store.beat(instanceId)
  const untilMs = isStart ? Number.POSITIVE_INFINITY : nowMs + WRITTEN_TOGETHER_MS
  await writeMissingEnds(store, journal, await readKnownEnds(tails, instanceId, nowMs), nowMs, untilMs)
}

/** Does that again from time to time. Returns the stop, which waits for what has begun. */
export function completeOften(kept: KeptJournal): () => Promise<void> {
  let looking: Promise<void> | null = null
  const look = async () => {
    // While the journal cannot be written, each try would leave more that waits for it.
    await kept.journal.append([])
    await completeJournal(kept, await readTails(kept.folder, kept.database), false)
  }
  const timer = setInterval(() => {
    looking ??= look()
      // A look that fails is made up for by the next one.
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
