import { Command } from 'commander'
import { resolve } from 'node:path'
import type { RecoverStoreRequest } from '../usecases/recover.ts'
import type { Context } from './context.ts'
import type { Settings } from '../settings/settings.ts'
import { StoreUnavailable } from '../store/store.ts'
import { SealError } from '../tokens/seal.ts'
import { CommandError, isSystemError, print } from './terminal.ts'

/** The options by which the operator decides what becomes of the sessions. */
interface Decision {
  readonly theseAreAll?: boolean
  readonly endAllSessions?: boolean
  readonly reviveEndedSessions?: boolean
}

interface Options extends Decision {
  readonly journals?: readonly string[]
}

/** `duktig recover`: brings a restored database up to date from the journals, while all instances are stopped. */
export function recoverCommand(context: Context): Command {
  return new Command('recover')
    .description(
      'after the database was restored: apply the ends that came after the backup; stop all instances first',
    )
    .option(
      '--journals <folder...>',
      'journal folders of the other instances; the one in the data folder is always read',
    )
    .option('--these-are-all', 'PostgreSQL: confirm that the journals of all instances are given')
    .option(
      '--end-all-sessions',
      'end all sessions; on PostgreSQL also the safe choice when a journal may be missing',
    )
    .option('--revive-ended-sessions', 'without complete journals, accept that ended sessions come back')
    .action(async (options: Options) => {
      const decision = decisionOf(options)
      const settings = context.settings()
      if (!context.hasDatabase(settings))
        throw new CommandError(`there is no database in ${resolve(settings.dataDir)}: restore one first`)
      for (const folder of options.journals ?? []) {
        const isThere = await context.hasJournal(folder).catch((error: unknown) => {
          throw isSystemError(error)
            ? new CommandError(`the journal folder ${folder} cannot be read: ${error.message}`)
            : error
        })
        if (!isThere)
          throw new CommandError(
            `there is no journal in ${folder}: name the folder that holds the .jsonl files`,
          )
      }
      const isDecided = options.theseAreAll === true || decision.endAll || decision.reviveEnded
      if (settings.databaseUrl !== null && !isDecided)
        throw new CommandError(
          'a restored database does not know instances added since the backup: pass the journals of all with --journals ' +
            'and add --these-are-all; if you cannot be sure of that, use --end-all-sessions, or --revive-ended-sessions to let ended ones return',
        )
      await recoverAndTell(context, settings, { journalFolders: options.journals ?? [], ...decision })
    })
}

/** @throws {CommandError} when `--end-all-sessions` is combined with one of the other two options */
export function decisionOf({
  theseAreAll = false,
  endAllSessions = false,
  reviveEndedSessions = false,
}: Decision): Omit<RecoverStoreRequest, 'journalFolders'> {
  if (endAllSessions && (theseAreAll || reviveEndedSessions))
    throw new CommandError(
      `--end-all-sessions ends every session, so ${theseAreAll ? '--these-are-all' : '--revive-ended-sessions'} cannot stand beside it: leave one of them out`,
    )
  return {
    endAll: endAllSessions,
    reviveEnded: reviveEndedSessions,
    demandsAll: theseAreAll && !reviveEndedSessions,
  }
}

/**
 * Recovers the database and prints the outcome.
 * @throws {CommandError} when the recovery fails for a reason that the operator can mend, with what to do then
 */
export async function recoverAndTell(
  context: Context,
  settings: Settings,
  request: RecoverStoreRequest,
): Promise<void> {
  const { entries, missing, damaged, endedAll, endedEarlier } = await context
    .recover(settings, request)
    .catch((error: unknown) => {
      throw unrecovered(error)
    })
  print(`Entries (ends, changes of state, keys) taken over from the journals: ${entries}.`)
  if (missing.length > 0)
    print(
      `No complete journal for: ${missing.join(', ')} (the file "instance" in each data folder holds the instance's id).`,
    )
  if (damaged.length > 0) print(`A line cannot be read of ${damaged.join(', ')}.`)
  if (missing.length > 0 || damaged.length > 0)
    print(
      'Look at the accounts you suspended and the applications you disabled after the backup: that may be lost.',
    )
  if (request.endAll) print('All sessions have ended, as you asked.')
  else if (endedEarlier)
    print('An earlier recovery ended all sessions, so all sessions in this backup have been ended too.')
  else if (endedAll)
    print('Which sessions had ended is unknown without complete journals, so all have been ended.')
  print(await whatIsNext(context, settings))
}

/** Whether the service can start: the backup may be that of a service with another master secret. */
async function whatIsNext(context: Context, settings: Settings): Promise<string> {
  try {
    await (await context.open(settings)).close()
    return 'The service may be started.'
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    return `Before you start the service: ${error.message}.`
  }
}

/** Turns an error that the operator can mend into a `CommandError` with the next step; other errors stay the same. */
function unrecovered(error: unknown): unknown {
  if (!(error instanceof StoreUnavailable) && !isSystemError(error)) return error
  return new CommandError(
    `the database has not been recovered: ${error.message}. Fix that, then run \`duktig recover\` before you start the service`,
    { cause: error },
  )
}
