import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Composed } from '../compose.ts'
import type { Service } from '../serve.ts'
import type { Settings } from '../settings/settings.ts'
import type { OpenedStore, Store } from '../store/store.ts'
import type { RecoverStoreRequest, RecoveredStore } from '../usecases/recover.ts'
import { CommandError } from './terminal.ts'

/** What the commands are given to work with; put together in `command-line.ts`. */
export interface Context {
  /** @throws {SettingsError} with every mistake at once */
  settings(): Settings
  openStore(settings: Settings): Promise<OpenedStore>
  /** Writes a copy of the SQLite database to a new file. */
  backup(settings: Settings, file: string): Promise<void>
  /** Puts a backup in place of the SQLite database; where the one before is kept, or what stands in the way. */
  restore(settings: Settings, file: string): Promise<string | { readonly problem: string }>
  /** With SQLite, whether there is a file. */
  hasDatabase(settings: Settings): boolean
  /** What to do where there is none, or null. */
  missingDatabase(settings: Settings): Promise<string | null>
  hasJournal(folder: string): Promise<boolean>
  /** Files of the instance's journal about the database that is open that cannot be read whole. */
  damagedJournals(settings: Settings, store: Store): Promise<readonly string[]>
  hasMasterSecret(settings: Settings): boolean
  /** Brings a restored database up to the journals. */
  recover(settings: Settings, request: RecoverStoreRequest): Promise<RecoveredStore>
  open(settings: Settings): Promise<Composed & { close(): Promise<void> }>
  /** `showKey` is given the key that a first start makes, before anything can keep it from being shown. */
  startService(settings: Settings, showKey: (key: string) => void): Promise<Service>
}

/** For those who only want to know which commands there are. */
export function nothingRuns(): Context {
  const refuse = (): never => {
    throw new Error('this program only lists its commands')
  }
  return {
    settings: refuse,
    openStore: refuse,
    backup: refuse,
    restore: refuse,
    hasDatabase: refuse,
    missingDatabase: refuse,
    hasJournal: refuse,
    damagedJournals: refuse,
    hasMasterSecret: refuse,
    recover: refuse,
    open: refuse,
    startService: refuse,
  }
}

/** Runs `work` with everything open, and closes it whatever happens. Makes no database: it would be one in the wrong folder. */
export async function withDeps<T>(context: Context, work: (opened: Composed) => Promise<T>): Promise<T> {
  const missing = await context.missingDatabase(context.settings())
  if (missing !== null) throw new CommandError(missing)
  return withNewDeps(context, work)
}

/** The same for what has a use before the first start of the service. */
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

/** The same for what only looks: where there is no database yet, one that is empty and gone afterwards stands for it. */
export async function withDepsToLookAt<T>(
  context: Context,
  work: (opened: Composed) => Promise<T>,
): Promise<T> {
  const settings = context.settings()
  if (context.hasDatabase(settings)) return withNewDeps(context, work, settings)
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-'))
  try {
    return await withNewDeps(context, work, { ...settings, dataDir })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
}
