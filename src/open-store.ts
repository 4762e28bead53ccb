/** Opens the store that the settings name, with the journal of ends behind it. */
import { join } from 'node:path'
import { createClock } from './operations/clock.ts'
import { type ReadJournal, hasJournal, openJournal, readJournals } from './operations/end-journal.ts'
import { ensureDataDir, instanceIdOf } from './operations/secrets.ts'
import { LIMITS } from './settings/limits.ts'
import type { Settings } from './settings/settings.ts'
import type { Journal } from './store/journal.ts'
import { journaled, missingEnds } from './store/journaled.ts'
import type { OpenedStore, Store } from './store/store.ts'

/** The database was restored from a backup, and ends that came after it have not been taken over. */
export class RestoredStore extends Error {
  override name = 'RestoredStore'
}

/**
 * Opens the store; `longRunning` for the service itself.
 * @throws {StoreUnavailable} when it cannot be reached
 * @throws {RestoredStore} when it is older than this instance's journal: nothing may be served before `duktig recover`
 */
export async function openStore(settings: Settings, longRunning = false): Promise<OpenedStore> {
  const opened = await openEngine(settings, longRunning)
  const { store } = opened
  try {
    const instanceId = instanceIdOf(settings.dataDir)
    const folder = journalFolder(settings)
    const written = await readJournals(folder)
    await refuseRestored(store, instanceId, written, folder)
    const journal = await openOwnJournal(store, settings, longRunning)
    if (longRunning) await journal.append(await missingEnds(store, written))
    // Only who keeps a journal counts as an instance: a command elsewhere that ends nothing leaves none to be missed.
    const beatIfKept = async () => {
      if (await hasJournal(folder)) await store.beat(instanceId)
    }
    await beatIfKept()
    const heartbeat = longRunning ? beatOften(store, instanceId) : undefined
    return {
      ...opened,
      store: {
        ...journaled(store, journal),
        async close() {
          clearInterval(heartbeat)
          await journal.close()
          await beatIfKept().catch(() => {})
          await store.close()
        },
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * The journal of this data folder. The database hears of an entry before it is written, so that it knows of all that there are:
 * if not, it has been set back.
 */
export function openOwnJournal(store: Store, settings: Settings, startAtOnce: boolean): Promise<Journal> {
  const instanceId = instanceIdOf(settings.dataDir)
  return openJournal({
    folder: journalFolder(settings),
    instanceId,
    clock: store.clock,
    startAtOnce,
    beforeWrite: (latestAtMs) => store.beat(instanceId, latestAtMs),
  })
}

/** The store alone: for recovery, which must be able to open what the service refuses. */
export async function openEngine(settings: Settings, longRunning = false): Promise<OpenedStore> {
  ensureDataDir(settings.dataDir)
  if (settings.databaseUrl !== null) {
    const { openPostgres } = await import('./store/postgres/open.ts')
    return openPostgres(settings.databaseUrl)
  }
  const { openSqlite } = await import('./store/sqlite/open.ts')
  return openSqlite(databaseFile(settings), createClock(), { longRunning })
}

/** Writes a consistent copy of the SQLite database to a new file, while the service runs. */
export async function backup(settings: Settings, file: string): Promise<void> {
  const { backupSqlite } = await import('./store/sqlite/backup.ts')
  backupSqlite(databaseFile(settings), file)
}

/** Puts a backup in the place of the SQLite database; where the one before is kept, or what stands in the way. */
export async function restore(
  settings: Settings,
  file: string,
): Promise<string | { readonly problem: string }> {
  ensureDataDir(settings.dataDir)
  const { restoreSqlite } = await import('./store/sqlite/backup.ts')
  return restoreSqlite(file, databaseFile(settings))
}

function databaseFile(settings: Settings): string {
  return join(settings.dataDir, 'duktig.sqlite')
}

export function journalFolder(settings: Settings): string {
  return join(settings.dataDir, 'journal')
}

/** A beat that fails is made up for by the next one. */
function beatOften(store: Store, instanceId: string): NodeJS.Timeout {
  return setInterval(() => void store.beat(instanceId).catch(() => {}), LIMITS.heartbeatMs).unref()
}

/** The database knows when it last heard of this instance; a journal that goes on after that says it has been set back. */
async function refuseRestored(
  store: Store,
  instanceId: string,
  { entries }: ReadJournal,
  folder: string,
): Promise<void> {
  const instance = (await store.listInstances()).find((i) => i.instanceId === instanceId)
  if (instance !== undefined && !(await hasJournal(folder)))
    throw new RestoredStore(
      `the journal of this instance is gone, so that nobody knows whether the database was set back: put ${folder} ` +
        'back, or run `duktig recover`, which ends all sessions',
    )
  const lastAtMs = entries.at(-1)?.atMs ?? 0
  if (lastAtMs <= (instance?.lastSeenAtMs ?? 0)) return
  throw new RestoredStore(
    'the database is older than the journal of this instance, as after restoring a backup; run `duktig recover` first',
  )
}
