import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Composed } from '../compose.ts'
import type { Service, StartOptions } from '../serve.ts'
import type { Settings } from '../settings/settings.ts'
import type { OpenedStore, Store } from '../store/store.ts'
import type { RecoverStoreRequest, RecoveredStore } from '../usecases/recover.ts'
import { CommandError } from './terminal.ts'

/** What the commands work with; `command-line.ts` puts it together. */
export interface Context {
  /** @throws {SettingsError} with every mistake at once */
  settings(): Settings
  openStore(settings: Settings): Promise<OpenedStore>
  /** Writes a copy of the SQLite database to a new file. */
  backup(settings: Settings, file: string): Promise<void>
  /**
   * Puts a backup in place of the SQLite database. Returns the path under which the database before it is kept, empty
   * if there was none; or the problem that prevents the restore.
   */
  restore(settings: Settings, file: string): Promise<string | { readonly problem: string }>
  /** With SQLite, whether the database file exists; with PostgreSQL always true. */
  hasDatabase(settings: Settings): boolean
  /** If there was a database and it is gone, what the operator can do about that; otherwise null. */
  lostDatabase(settings: Settings): Promise<string | null>
  /** If the database is gone or not made yet, what the operator can do about that; otherwise null. */
  missingDatabase(settings: Settings): Promise<string | null>
  hasJournal(folder: string): Promise<boolean>
  /** The files of this instance's journal for the open database that have an unreadable line before their last one. */
  damagedJournals(settings: Settings, store: Store): Promise<readonly string[]>
  /** The files of this instance's journal that should have been removed for their age and are still there. */
  overdueJournals(settings: Settings, store: Store): Promise<readonly string[]>
  /** Brings a restored database up to date from the journals. */
  recover(settings: Settings, request: RecoverStoreRequest): Promise<RecoveredStore>
  open(settings: Settings): Promise<Composed & { close(): Promise<void> }>
  startService(settings: Settings, options: StartOptions): Promise<Service>
}

/**
 * Runs `work` with everything open, and closes everything whatever happens. A missing database is not created, since it
 * would probably be in the wrong folder.
 * @throws {CommandError} when the database is missing
 */
export async function withDeps<T>(context: Context, work: (opened: Composed) => Promise<T>): Promise<T> {
  const missing = await context.missingDatabase(context.settings())
  if (missing !== null) throw new CommandError(missing)
  return withNewDeps(context, work)
}

/** Like `withDeps`, but makes a database where there was none: for commands that are useful before the first start. */
export async function withNewDeps<T>(
  context: Context,
  work: (opened: Composed) => Promise<T>,
  settings: Settings = context.settings(),
): Promise<T> {
  const opened = await context.open(settings)
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}

/**
 * Like `withNewDeps`, for work that only reads: a temporary empty database takes the place of one that has not been made
 * yet.
 * @throws {CommandError} when the database is gone, in the words in which opening it is refused
 */
export async function withDepsToLookAt<T>(
  context: Context,
  work: (opened: Composed) => Promise<T>,
): Promise<T> {
  const settings = context.settings()
  if (context.hasDatabase(settings)) return withNewDeps(context, work, settings)
  const lost = await context.lostDatabase(settings)
  if (lost !== null) throw new CommandError(lost)
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-'))
  try {
    return await withNewDeps(context, work, { ...settings, dataDir })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}
