/** Recovers the store that the settings name after it was restored. Apart from `open-store.ts`: a start has no use for it. */
import { openEngine, openOwnJournal } from './open-store.ts'
import { type ReadJournal, readJournals } from './operations/end-journal.ts'
import type { Settings } from './settings/settings.ts'
import { type RecoverStoreRequest, type Recovered, recover } from './usecases/recover.ts'

/**
 * Brings a restored database up to what the given journals know, all instances stopped, and writes into the journal of
 * this data folder that it was done.
 * @throws {StoreUnavailable} when it cannot be reached, or with SQLite when the service runs
 */
export async function recoverStore(settings: Settings, request: RecoverStoreRequest): Promise<Recovered> {
  const journals = together(await Promise.all(request.journalFolders.map(readJournals)))
  // As the service would open it: no other may.
  const { store } = await openEngine(settings, true)
  try {
    const journal = await openOwnJournal(store, settings, true)
    const allGiven = request.theseAreAll || store.engine === 'sqlite'
    try {
      return await recover(store, { journals, allGiven, reviveEnded: request.reviveEnded, journal })
    } finally {
      await journal.close()
    }
  } finally {
    await store.close()
  }
}

/** All journals of several folders as one. */
function together(found: readonly ReadJournal[]): ReadJournal {
  const entries = found.flatMap((journals) => journals.entries).sort((a, b) => a.atMs - b.atMs)
  return {
    headers: found.flatMap((journals) => journals.headers),
    instanceIds: [...new Set(found.flatMap((journals) => journals.instanceIds))],
    entries,
  }
}
