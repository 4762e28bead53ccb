/** The ends that the database has and the journal lacks. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Journal } from './journal.ts'
import { sessionEnd } from './journaled.ts'
import type { Store } from './store.ts'

/** What the journal says about itself. */
export interface KnownEnds {
  /** No end dated more than `WRITTEN_TOGETHER_MS` before this is missing; null if there is no journal yet. */
  readonly sinceMs: number | null
  /** The sessions whose end since then is in the journal, and perhaps others. */
  readonly sessionIds: ReadonlySet<string>
}

/** An end dated up to this long before a `complete` entry may be missing: its process may not have written it yet. */
export const WRITTEN_TOGETHER_MS = 60_000
/** Ends read at a time; requests to a running service wait for each such read. */
const LISTED_AT_ONCE = 2_000

/**
 * Writes the ends of sessions that the database has and the journal lacks, because a process died between the two
 * writes or could not write the journal. Then writes a `complete` entry, dated `nowMs`. Runs at a start, since clients
 * that try again are told that these sessions have ended, and from time to time, so that no start has to look far back.
 * Ends dated after `untilMs` are left for later.
 */
export async function writeMissingEnds(
  store: Pick<Store, 'listEnded'>,
  journal: Pick<Journal, 'append'>,
  { sinceMs, sessionIds }: KnownEnds,
  nowMs: number,
  untilMs: number,
): Promise<void> {
  const fromMs = (sinceMs ?? nowMs) - WRITTEN_TOGETHER_MS
  let after = { endedAtMs: fromMs, sessionId: '' }
  let isDone = sinceMs === null
  while (!isDone) {
    const listed = await store.listEnded(after, LISTED_AT_ONCE)
    const ended = listed.filter(({ endedAtMs }) => endedAtMs <= untilMs)
    const missing = ended.filter(({ sessionId }) => !sessionIds.has(sessionId))
    if (missing.length > 0)
      await journal.append(
        missing.map(({ sessionId, reason, endedAtMs }) => sessionEnd(sessionId, reason, endedAtMs)),
      )
    after = ended.at(-1) ?? after
    isDone = ended.length < LISTED_AT_ONCE
    // SQLite answers synchronously: without this pause, requests would wait until all ends are read.
    await nextTurn()
  }
  await journal.append([{ kind: 'complete', fromMs, atMs: nowMs }])
}
