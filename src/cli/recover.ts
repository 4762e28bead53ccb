import { Command } from 'commander'
import type { Recovered } from '../usecases/recover.ts'
import type { Context } from './context.ts'
import type { Settings } from '../settings/settings.ts'
import { CommandError, print } from './terminal.ts'

interface Options {
  readonly journals?: readonly string[]
  readonly theseAreAll?: boolean
  readonly reviveEndedSessions?: boolean
}

/** `duktig recover`: after the database was restored, with all instances stopped. */
export function recoverCommand(context: Context): Command {
  return new Command('recover')
    .description(
      'after restoring the database: take over the ends that came after the backup; stop all instances first',
    )
    .option(
      '--journals <folder...>',
      'journal folders of the instances; by default the one in the data folder',
    )
    .option('--these-are-all', 'vouch that no instance is missing; SQLite has only one')
    .option('--revive-ended-sessions', 'without complete journals, accept that ended sessions come back')
    .action(async (options: Options) => {
      const settings = context.settings()
      for (const folder of options.journals ?? []) {
        if (!(await context.hasJournal(folder)))
          throw new CommandError(
            `there is no journal in ${folder}: name the folder that holds the .jsonl files`,
          )
      }
      const recovered = await context.recover(settings, {
        journalFolders: options.journals ?? [context.journalFolder(settings)],
        theseAreAll: options.theseAreAll === true,
        reviveEnded: options.reviveEndedSessions === true,
      })
      report(context, settings, recovered)
    })
}

export function report(
  context: Context,
  settings: Settings,
  { entries, missing, endedAll }: Recovered,
): void {
  print(`Took over ${entries} entries of the journals.`)
  if (missing.length > 0) print(`No complete journal was found of: ${missing.join(', ')}.`)
  if (endedAll) print('The journals were not complete, so all sessions have ended.')
  if (context.hasMasterSecret(settings)) return print('The service may be started.')
  print(
    `Put the master secret back before you start the service: the file secret in ${settings.dataDir}, or DUKTIG_SECRET.`,
  )
}
