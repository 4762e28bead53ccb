/** Recovers the store that the settings name after it was restored. Apart from `open-store.ts`: a start has no use for it. */
import { resolve } from 'node:path'
import { journalFolder, openEngine } from './open-store.ts'
import { openJournal } from './operations/end-journal.ts'
import { type ReadJournal, inOrder, readJournals } from './operations/read-journals.ts'
import { instanceIdOf } from './operations/secrets.ts'
import type { Settings } from './settings/settings.ts'
import { type RecoverStoreRequest, type Recovered, recover } from './usecases/recover.ts'

/**
 * Brings a restored database up to what the given journals and the one in the data folder know, all instances stopped, and writes
 * into that one what was done.
 * @throws {StoreUnavailable} when it cannot be reached, or with SQLite when the service runs
 */
export async function recoverStore(settings: Settings, request: RecoverStoreRequest): Promise<Recovered> {
  // As the service would open it: no other may.
  const { store } = await openEngine(settings, true)
  try {
    const folder = journalFolder(settings)
    const folders = new Set([folder, ...request.journalFolders].map((path) => resolve(path)))
    const database = await store.databaseId()
    const journals = together(await Promise.all([...folders].map((path) => readJournals(path, database))))
    const instanceId = instanceIdOf(settings.dataDir)
    return await recover(store, {
      journals,
      endAll: request.endAll,
      reviveEnded: request.reviveEnded,
      instanceId,
      async write(entry, write) {
        const { clock } = store
        const numberWrite = async () => write
        const options = { folder, instanceId, database, clock, startAtOnce: false, numberWrite }
        const journal = await openJournal(options)
        try {
          await journal.append([entry])
        } finally {
          await journal.close()
        }
      },
    })
  } finally {
    await store.close()
  }
}

/** All journals of several folders as one. */
function together(found: readonly ReadJournal[]): ReadJournal {
  const writes = new Map<string, number>()
  for (const [id, count] of found.flatMap((journals) => [...journals.writes]))
    writes.set(id, Math.max(count, writes.get(id) ?? 0))
  return {
    headers: found.flatMap((journals) => journals.headers),
    writes,
    entries: inOrder(found.flatMap((journals) => journals.entries)),
  }
}
