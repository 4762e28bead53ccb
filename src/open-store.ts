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
import { type OpenedStore, type Store, StoreUnavailable } from './store/store.ts'

const HOW = 'run `duktig recover` (docs/durability.md says what it needs)'

/** The database is not the one last used here: it was restored from a backup and not recovered, or it is gone. */
export class RestoredStore extends Error {
  override name = 'RestoredStore'
}

export interface OpenOptions {
  /** For the service itself, and for what must not run beside it. */
  readonly longRunning?: boolean
}

/**
 * Opens the store.
 * @throws {StoreUnavailable} when it cannot be reached
 * @throws {RestoredStore} when the database is older than the journal, is a backup that has not been recovered, or when
 * the journal or the database file is gone: nothing may be served until that is mended
 */
export async function openStore(
  settings: Settings,
  { longRunning = false }: OpenOptions = {},
): Promise<OpenedStore> {
  await refuseLost(settings)
  const opened = await openEngine(settings, { longRunning })
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
      lastWrite: tails.writes.get(instanceId) ?? 0,
      numberWrite,
    })
    closeJournal = () => journal.close()
    const kept = { store, journal, folder, database, instanceId }
    if (longRunning) await completeJournal(kept, tails, { isStart: true })
    // Only what keeps a journal is recorded as an instance: recovery would otherwise demand one of a command on another
    // machine that ended nothing and so wrote none.
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

/** Opens the store without its journal, for recovery, which must be able to open what the service refuses. */
export async function openEngine(
  settings: Settings,
  { longRunning = false }: OpenOptions = {},
): Promise<OpenedStore> {
  ensureDataDir(settings.dataDir)
  if (settings.databaseUrl !== null) {
    const { openPostgres } = await import('./store/postgres/open.ts')
    return openPostgres(settings.databaseUrl).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error
      const message = `the database of DUKTIG_DATABASE_URL cannot be used: ${error.message}`
      throw new StoreUnavailable(message, { cause: error })
    })
  }
  const { openSqlite } = await import('./store/sqlite/open.ts')
  return openSqlite(databaseFile(settings), createClock(), { longRunning })
}

/** Writes a consistent copy of the SQLite database to a new file, while the service runs. */
export async function backup(settings: Settings, file: string): Promise<void> {
  const { backupSqlite } = await import('./store/sqlite/backup.ts')
  backupSqlite(databaseFile(settings), file)
}

/**
 * Puts a backup in place of the SQLite database. Returns where the previous database is kept (empty if there was none),
 * or what stands in the way.
 */
export async function restore(
  settings: Settings,
  file: string,
): Promise<string | { readonly problem: string }> {
  ensureDataDir(settings.dataDir)
  const { restoreSqlite } = await import('./store/sqlite/backup.ts')
  return restoreSqlite(file, databaseFile(settings))
}

/** Whether there is a database to open; with PostgreSQL always true, since only opening it can tell. */
export function hasDatabase(settings: Settings): boolean {
  return settings.databaseUrl !== null || existsSync(databaseFile(settings))
}

/** What to do when there is no database, or null. Opening would create one, perhaps in the wrong folder. */
export async function missingDatabase(settings: Settings): Promise<string | null> {
  return (await lostDatabase(settings)) ?? (hasDatabase(settings) ? null : nothingYet(settings))
}

function databaseFile(settings: Settings): string {
  return join(settings.dataDir, 'duktig.sqlite')
}

export function journalFolder(settings: Settings): string {
  return join(settings.dataDir, 'journal')
}

/**
 * Each beat makes up for one that failed, writes journal entries that could not be written before, and notices a
 * database that was set back meanwhile.
 */
function beatOften(store: Store, instanceId: string, journal: Journal): NodeJS.Timeout {
  const beat = () =>
    Promise.all([journal.compare(() => store.beat(instanceId)), journal.keepUp()]).catch(() => {})
  return setInterval(() => void beat(), LIMITS.heartbeatMs).unref()
}

/**
 * Refuses to go on when the database is gone: a new one, made beside the journal or the remains of a killed restore,
 * would be taken for it.
 */
async function refuseLost(settings: Settings): Promise<void> {
  const lost = await lostDatabase(settings)
  if (lost !== null) throw new RestoredStore(lost)
}

/** What to do when there was a database and it is gone, or null. */
export async function lostDatabase(settings: Settings): Promise<string | null> {
  // Look for the journal first: a process that is creating both at this moment creates the journal last.
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
 * Refuses a database that was set back. The database counts each journal write before it happens, so a journal with a
 * higher count shows that the database is older. Without any journal nobody can tell: the database is then refused if
 * it knows this instance or, on SQLite, any instance.
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
  // Look again: since the first look, another process may have created the first journal file and been counted.
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
