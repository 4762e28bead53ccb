import { existsSync, statSync } from 'node:fs'
import { type Clock, type OpenedStore, type Store, StoreUnavailable } from '../store.ts'
import { accountStore } from './accounts.ts'
import { actionStore } from './actions.ts'
import { applicationStore } from './applications.ts'
import { CachedReads } from './cached-reads.ts'
import { startCheckpointer } from './checkpointer.ts'
import { Connection } from './connection.ts'
import { guardStore } from './guards.ts'
import { keyStore } from './keys.ts'
import { lastUses } from './last-uses.ts'
import { legacyStore } from './legacy.ts'
import { migrate } from './migrate.ts'
import { createPrivately } from './private-file.ts'
import { recoveryStore } from './recovery.ts'
import { RotationLog } from './rotation-log.ts'
import { sessionStore } from './sessions.ts'
import { refuseStrangeLog } from './strange-log.ts'
import { holdService, holdShared } from './use-lock.ts'

/** How often cached rows age; a row for which no request asks stays in memory for at most twice as long. */
const AGE_MS = 10 * 60_000

export interface OpenSqliteOptions {
  readonly longRunning?: boolean
  readonly rotationLogFullAt?: number
  /** The limit of memory for cached rows. */
  readonly rowMemoryBytes?: number
}

/**
 * Opens the SQLite database at `file`, creating it if necessary and bringing its schema up to date. `longRunning` takes
 * checkpoints off the request path, which a short command does not need; only one process may be `longRunning`.
 * @throws {StoreUnavailable} when the database cannot be opened, a restore is under way, or another process runs as
 * `longRunning`
 */
export async function openSqlite(
  file: string,
  clock: Clock,
  options: OpenSqliteOptions = {},
): Promise<OpenedStore> {
  refuseLoneLog(file)
  refuseStrangeLog(file)
  const lock = options.longRunning === true ? holdService(file) : holdShared(file)
  createPrivately(file)
  try {
    const opened = await openAlone(file, clock, options)
    const { close } = opened.store
    return { ...opened, store: { ...opened.store, close: () => close().finally(() => lock.release()) } }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Otherwise SQLite would create a new database and write the log of the lost one into it. */
function refuseLoneLog(file: string): void {
  if (existsSync(file) || !existsSync(`${file}-wal`) || statSync(`${file}-wal`).size === 0) return
  throw new StoreUnavailable(
    `the database ${file} is missing, but its log ${file}-wal is there: put the database back, or restore a backup`,
  )
}

async function openAlone(file: string, clock: Clock, options: OpenSqliteOptions): Promise<OpenedStore> {
  const connection = new Connection(file, clock)
  const applied = await migrate(connection)
  const madeAs = statSync(file).ino
  const checkpointer = options.longRunning === true ? startCheckpointer(connection, file) : null
  const rotations = new RotationLog(connection, {
    settlesWhenQuiet: options.longRunning === true,
    ...(options.rotationLogFullAt === undefined ? {} : { fullAt: options.rotationLogFullAt }),
  })
  if (options.longRunning === true) await rotations.load()
  const reads = new CachedReads(connection, rotations, options.rowMemoryBytes)
  const ageing = options.longRunning === true ? setInterval(() => reads.age(), AGE_MS).unref() : undefined
  const uses = lastUses(connection)
  const store: Store = {
    engine: 'sqlite',
    clock,
    ...accountStore(connection, reads),
    ...sessionStore(connection, rotations, reads, uses),
    ...applicationStore(connection),
    ...keyStore(connection),
    ...guardStore(connection),
    ...actionStore(connection),
    ...legacyStore(connection, rotations),
    ...recoveryStore(connection, rotations),
    hasRoomToRefresh: () => connection.hasRoomToWrite(),
    // Writes, so that a full or read-only disk shows. The value changes because SQLite does not write an unchanged one.
    check: () =>
      connection.write(() => {
        // Writes to a file that has been removed are lost.
        if (statSync(file, { throwIfNoEntry: false })?.ino !== madeAs)
          throw new StoreUnavailable(
            `${file} was removed or replaced while in use: stop the service and put it back`,
          )
        const version = connection.row('pragma user_version')?.[0] as number
        connection.exec(`pragma user_version = ${(version + 1) % 1_000_000}`)
      }),
    inspect: async (how) => inspect(connection, how?.deep === true),
    async close() {
      await checkpointer?.stop()
      clearInterval(ageing)
      rotations.stop()
      uses.write()
      connection.close()
    },
  }
  return { store, applied }
}

/** `deep` reads the whole file, which a start has no time for. */
function inspect(connection: Connection, deep: boolean): string[] {
  const problems: string[] = []
  const value = (sql: string) => connection.row(sql)?.[0]
  if (value('pragma journal_mode') !== 'wal')
    problems.push('the database is not in WAL mode: keep it on a local disk')
  if (value('pragma synchronous') !== 2)
    problems.push('synchronous is not FULL: a power cut may lose changes that were already acknowledged')
  const check = deep ? value('pragma quick_check(1)') : 'ok'
  if (check !== 'ok') problems.push(`the database file is damaged (${String(check)}): restore a backup`)
  return problems
}
