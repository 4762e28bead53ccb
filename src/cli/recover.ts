import { Command } from 'commander'
import { type FoundJournals, type Recovered, recover } from '../usecases/recover.ts'
import type { Context } from './context.ts'
import { print } from './terminal.ts'

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
      const journals = await context.readJournals(options.journals ?? [context.journalFolder(settings)])
      const { store } = await context.openEngine(settings)
      try {
        const allGiven = options.theseAreAll === true || store.engine === 'sqlite'
        const reviveEnded = options.reviveEndedSessions === true
        report(await recover(store, { journals, allGiven, reviveEnded }))
      } finally {
        await store.close()
      }
    })
}

export function report({ entries, missing, endedAll }: Recovered): void {
  print(`Took over ${entries} entries of the journals.`)
  if (missing.length > 0) print(`No complete journal was found of: ${missing.join(', ')}.`)
  if (endedAll) print('The journals were not complete, so all sessions have ended.')
  print('The service may be started.')
}

/** All journals of several folders as one. */
export function together(found: readonly FoundJournals[]): FoundJournals {
  const entries = found.flatMap((journals) => journals.entries).sort((a, b) => a.atMs - b.atMs)
  return { headers: found.flatMap((journals) => journals.headers), entries }
}
