/** Recovers the store after a restore. Kept out of `open-store.ts`, because a start does not need this code. */
import { resolve } from 'node:path'
import { RestoredStore, journalFolder, openEngine } from './open-store.ts'
import { openJournal } from './operations/end-journal.ts'
import { hasJournal } from './operations/journal-files.ts'
import { readJournals } from './operations/read-journals.ts'
import { instanceIdOf } from './operations/secrets.ts'
import type { Settings } from './settings/settings.ts'
import type { Store } from './store/store.ts'
import {
  type RecoverStoreRequest,
  type RecoveredStore,
  missingJournals,
  recover,
} from './usecases/recover.ts'

/**
 * Brings a restored database up to the given journals and the one in the data folder, and records the recovery in the
 * latter. All instances must be stopped.
 * @throws {StoreUnavailable} when the store cannot be reached, or with SQLite when the service runs
 * @throws {RestoredStore} when a given journal is about another database, when other processes use this one, or when not
 * all journals are given although the operator has said so
 */
export async function recoverStore(
  settings: Settings,
  request: RecoverStoreRequest,
): Promise<RecoveredStore> {
  // Opened as the service does it: with SQLite, only one process may open it like this at a time.
  const { store } = await openEngine(settings, { longRunning: true })
  try {
    const others = await store.otherConnections()
    if (others > 0)
      throw new RestoredStore(
        `other processes of Duktig have ${others} connections to the database: stop all instances and commands first`,
      )
    const folder = journalFolder(settings)
    const folders = new Set([folder, ...request.journalFolders].map((path) => resolve(path)))
    const database = await store.databaseId()
    for (const given of request.journalFolders) {
      if (!(await hasJournal(given, database)))
        throw new RestoredStore(`the journal in ${given} is about another database: name that of this one`)
    }
    const journals = await readJournals([...folders], database)
    if (request.demandsAll) await refuseMissing(store, journals)
    const instanceId = instanceIdOf(settings.dataDir)
    const recovered = await recover(store, {
      journals,
      endAll: request.endAll,
      reviveEnded: request.reviveEnded,
      instanceId,
      async write(entry, write) {
        const journal = await openJournal({
          folder,
          instanceId,
          database,
          clock: store.clock,
          startAtOnce: false,
          numberWrite: async () => write,
          // Recovery reads the journals a second time.
          keepsOld: true,
        })
        try {
          await journal.append([entry])
        } finally {
          await journal.close()
        }
      },
    })
    return { ...recovered, damaged: journals.damaged }
  } finally {
    await store.close()
  }
}

async function refuseMissing(store: Store, journals: Parameters<typeof missingJournals>[1]): Promise<void> {
  const missing = missingJournals(await store.listInstances(), journals, store.clock.nowMs())
  if (missing.length === 0) return
  throw new RestoredStore(
    `these are not all journals, and nothing was changed. No complete one is there for: ${missing.join(', ')} (the file ` +
      '"instance" in each data folder holds the instance\'s id). Name its folder with --journals, or decide by --end-all-sessions or ' +
      '--revive-ended-sessions',
  )
}
