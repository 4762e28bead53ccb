import { Command } from 'commander'
import { join, resolve } from 'node:path'
import type { RecoverStoreRequest } from '../usecases/recover.ts'
import type { Context } from './context.ts'
import type { Settings } from '../settings/settings.ts'
import { CommandError, print } from './terminal.ts'

/** What somebody says about the sessions. */
interface Decision {
  readonly theseAreAll?: boolean
  readonly endAllSessions?: boolean
  readonly reviveEndedSessions?: boolean
}

interface Options extends Decision {
  readonly journals?: readonly string[]
}

/** `duktig recover`: after the database was restored, with all instances stopped. */
export function recoverCommand(context: Context): Command {
  return new Command('recover')
    .description(
      'after restoring the database: take over the ends that came after the backup; stop all instances first',
    )
    .option(
      '--journals <folder...>',
      'journal folders of the other instances; the one in the data folder is always read',
    )
    .option('--these-are-all', 'PostgreSQL: vouch that no instance is missing')
    .option('--end-all-sessions', 'end all sessions; with PostgreSQL also when nobody can vouch for that')
    .option('--revive-ended-sessions', 'without complete journals, accept that ended sessions come back')
    .action(async (options: Options) => {
      const decision = decisionOf(options)
      const settings = context.settings()
      if (!context.hasDatabase(settings))
        throw new CommandError(`there is no database in ${resolve(settings.dataDir)}: restore one first`)
      for (const folder of options.journals ?? []) {
        if (!(await context.hasJournal(folder)))
          throw new CommandError(
            `there is no journal in ${folder}: name the folder that holds the .jsonl files`,
          )
      }
      const isDecided = options.theseAreAll === true || decision.endAll || decision.reviveEnded
      if (settings.databaseUrl !== null && !isDecided)
        throw new CommandError(
          'the database cannot know of instances that came after it was written: give the journals of all with --journals ' +
            'and say --these-are-all, or say --end-all-sessions',
        )
      await recoverAndTell(context, settings, { journalFolders: options.journals ?? [], ...decision })
    })
}

/** @throws {CommandError} when somebody wants all sessions ended and says something else as well */
export function decisionOf({
  theseAreAll = false,
  endAllSessions = false,
  reviveEndedSessions = false,
}: Decision): Pick<RecoverStoreRequest, 'endAll' | 'reviveEnded'> {
  if (endAllSessions && (theseAreAll || reviveEndedSessions))
    throw new CommandError(
      `--end-all-sessions ends every session, so ${theseAreAll ? '--these-are-all' : '--revive-ended-sessions'} cannot stand beside it: leave one of them out`,
    )
  return { endAll: endAllSessions, reviveEnded: reviveEndedSessions }
}

/** Recovers, and says what came of it. */
export async function recoverAndTell(
  context: Context,
  settings: Settings,
  request: RecoverStoreRequest,
): Promise<void> {
  const { entries, missing, endedAll, endedEarlier } = await context.recover(settings, request)
  print(`Entries taken over from the journals: ${entries}.`)
  if (missing.length > 0)
    print(
      `No complete journal was found of the instance ${missing.join(', ')} (its name is in the file instance of its data folder).`,
    )
  if (request.endAll) print('All sessions have ended, as you asked.')
  else if (endedEarlier)
    print('An earlier recovery had ended all sessions, so all of this database have ended.')
  else if (endedAll) print('Nobody can say which sessions had ended, so all have.')
  if (context.hasMasterSecret(settings)) return print('The service may be started.')
  const file = join(resolve(settings.dataDir), 'secret')
  print(`Put the master secret back before you start the service: ${file}, or DUKTIG_SECRET.`)
}
