/** The ends that the database has and the journal lacks. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Journal } from './journal.ts'
import { sessionEnd } from './journaled.ts'
import type { Store } from './store.ts'

/** What the journal says about itself. */
export interface KnownEnds {
  /** Nothing is missing that ended before; null where nobody has written anything yet. */
  readonly sinceMs: number | null
  /** Sessions that ended since, as the journal has it, and perhaps others. */
  readonly sessionIds: ReadonlySet<string>
}

/** Before `complete` is written others may have ended something that they have not written yet. */
export const WRITTEN_TOGETHER_MS = 60_000
/** While the service runs, requests wait for so many to be read. */
const LISTED_AT_ONCE = 2_000

/**
 * Writes the ends of sessions that the database has and the journal lacks, because a process died between the two writes or could
 * not write the second; then a `complete` entry, dated when the looking began. At a start, since a caller who asks again is told
 * that these have ended; and from time to time, so that no start has to look far back. What is dated after `untilMs` is left for later.
 */
export async function writeMissingEnds(
  store: Pick<Store, 'listEnded'>,
  journal: Pick<Journal, 'append'>,
  { sinceMs, sessionIds }: KnownEnds,
  nowMs: number,
  untilMs: number,
): Promise<void> {
  let after = { endedAtMs: (sinceMs ?? nowMs) - WRITTEN_TOGETHER_MS, sessionId: '' }
  for (let more = sinceMs !== null; more; ) {
    const listed = await store.listEnded(after, LISTED_AT_ONCE)
    const ended = listed.filter(({ endedAtMs }) => endedAtMs <= untilMs)
    const missing = ended.filter(({ sessionId }) => !sessionIds.has(sessionId))
    if (missing.length > 0)
      await journal.append(
        missing.map(({ sessionId, reason, endedAtMs }) => sessionEnd(sessionId, reason, endedAtMs)),
      )
    after = ended.at(-1) ?? after
    more = ended.length === LISTED_AT_ONCE
    // SQLite answers without waiting: without this, requests would wait for all of it.
    await nextTurn()
  }
  await journal.append([{ kind: 'complete', atMs: nowMs }])
}
