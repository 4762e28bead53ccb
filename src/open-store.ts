/** Opens the store that the settings name, with the journal of ends behind it. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { createClock } from './operations/clock.ts'
import { completeJournal, completeOften } from './operations/complete-journal.ts'
import { openJournal } from './operations/end-journal.ts'
import { hasJournal } from './operations/journal-files.ts'
import { readTails } from './operations/journal-tails.ts'
import { ensureDataDir, instanceIdOf } from './operations/secrets.ts'
import { LIMITS } from './settings/limits.ts'
import type { Settings } from './settings/settings.ts'
import type { Journal } from './store/journal.ts'
import { journaled } from './store/journaled.ts'
import type { OpenedStore, Store } from './store/store.ts'

const HOW = 'run `duktig recover` (docs/durability.md says what it needs)'

/** The database is not the one that was there last: restored from a backup and not recovered, or gone. */
export class RestoredStore extends Error {
  override name = 'RestoredStore'
}

/**
 * Opens the store; `longRunning` for the service itself.
 * @throws {StoreUnavailable} when it cannot be reached
 * @throws {RestoredStore} when it is older than this instance's journal, or a backup that was put in place: nothing may be served
 * before `duktig recover`; or when its file is gone
 */
export async function openStore(settings: Settings, longRunning = false): Promise<OpenedStore> {
  await refuseLost(settings)
  const opened = await openEngine(settings, longRunning)
  const { store } = opened
  let closeJournal = async () => {}
  try {
    const instanceId = instanceIdOf(settings.dataDir)
    const folder = journalFolder(settings)
    const database = await store.databaseId()
    const tails = await readTails(folder, database)
    const hasOurs = () => hasJournal(folder, database)
    await refuseRestored(store, instanceId, tails.writes, folder, hasOurs)
    if (await store.awaitsRecovery())
      throw new RestoredStore(`a backup was put in place and has not been recovered yet: ${HOW}`)
    const numberWrite = () => store.countWrite(instanceId)
    const journal = await openJournal({
      folder,
      instanceId,
      database,
      clock: store.clock,
      startAtOnce: longRunning,
      numberWrite,
    })
    closeJournal = () => journal.close()
    const kept = { store, journal, folder, database, instanceId }
    if (longRunning) await completeJournal(kept, tails, true)
    // Only who keeps a journal counts as an instance: a command elsewhere that ends nothing leaves none to be missed.
    const beatIfKept = async () => {
      if (await hasOurs()) await store.beat(instanceId)
    }
    await beatIfKept()
    const heartbeat = longRunning ? beatOften(store, instanceId, journal) : undefined
    const stopLooking = longRunning ? completeOften(kept) : async () => {}
    return {
      ...opened,
      store: {
        ...journaled(store, journal),
        async close() {
          clearInterval(heartbeat)
          await stopLooking()
          await journal.close()
          await beatIfKept().catch(() => {})
          await store.close()
        },
      },
    }
  } catch (error) {
    await closeJournal().catch(() => {})
    await store.close()
    throw error
  }
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

/** Whether there is something to open; with PostgreSQL opening tells. */
export function hasDatabase(settings: Settings): boolean {
  return settings.databaseUrl !== null || existsSync(databaseFile(settings))
}

/** What to do where there is nothing to open, or null: to open it would make it, perhaps in the wrong folder. */
export async function missingDatabase(settings: Settings): Promise<string | null> {
  return (await lostDatabase(settings)) ?? (hasDatabase(settings) ? null : nothingYet(settings))
}

function databaseFile(settings: Settings): string {
  return join(settings.dataDir, 'duktig.sqlite')
}

export function journalFolder(settings: Settings): string {
  return join(settings.dataDir, 'journal')
}

/** A beat that fails is made up for by the next one, and so is an entry that could not be written. */
function beatOften(store: Store, instanceId: string, journal: Journal): NodeJS.Timeout {
  const beat = () => Promise.all([store.beat(instanceId), journal.keepUp()]).catch(() => {})
  return setInterval(() => void beat(), LIMITS.heartbeatMs).unref()
}

/** Beside a journal, or what a restore leaves that was killed, no database is made anew: it would be taken for the one that is gone. */
async function refuseLost(settings: Settings): Promise<void> {
  const lost = await lostDatabase(settings)
  if (lost !== null) throw new RestoredStore(lost)
}

/** What to do where there has been a database and is none, or null. */
async function lostDatabase(settings: Settings): Promise<string | null> {
  // The journal first: another process that makes both at this moment makes the database before it.
  const signs = (await hasJournal(journalFolder(settings))) ? ['the folder journal'] : []
  if (hasDatabase(settings)) return null
  const file = resolve(databaseFile(settings))
  const isLeft = (name: string) =>
    /\.(?:restoring|before-restore-.*)$/.test(name) && name.startsWith(`${basename(file)}.`)
  signs.push(...namesIn(settings.dataDir).filter(isLeft))
  if (signs.length === 0) return null
  return (
    `the database file ${file} is missing, and beside it there is ${signs.join(', ')}: put the file back, or restore a backup with ` +
    '`duktig restore`; to begin anew, name an empty folder with DUKTIG_DATA_DIR'
  )
}

function nothingYet({ dataDir }: Settings): string {
  const what = namesIn(dataDir).length === 0 ? 'nothing' : 'no database'
  return `there is ${what} in the data folder ${resolve(dataDir)} yet: name another one with DUKTIG_DATA_DIR, or fill it by \`duktig serve\``
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/**
 * The database counts each journal write before it happens: a journal with a higher count shows that the database is older. If
 * the journal is gone, nobody can tell; on SQLite that goes for the journal of any earlier instance too.
 */
async function refuseRestored(
  store: Store,
  instanceId: string,
  writes: ReadonlyMap<string, number>,
  folder: string,
  hasOurs: () => Promise<boolean>,
): Promise<void> {
  const instances = await store.listInstances()
  const hasLived =
    store.engine === 'sqlite' || instances.some((instance) => instance.instanceId === instanceId)
  // Asked once more: another process may have made the first file after it was looked for, and been counted since.
  if (hasLived && instances.length > 0 && writes.size === 0 && !(await hasOurs()))
    throw new RestoredStore(
      `the journal of this instance is gone, so that nobody knows whether the database was set back: put ${resolve(folder)} ` +
        `back, or ${HOW}`,
    )
  const known = new Map(instances.map((instance) => [instance.instanceId, instance]))
  const isAhead = ([id, count]: readonly [string, number]) => count > (known.get(id)?.writes ?? 0)
  if (![...writes].some(isAhead)) return
  throw new RestoredStore(
    `the database is older than the journal in ${resolve(folder)}, as after restoring a backup: ${HOW}`,
  )
}
