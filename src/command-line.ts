/** The command line: assembles what the commands need, once a command is called. */
import type { Context } from './cli/context.ts'
import { createProgram } from './cli/program.ts'
import { compose } from './compose.ts'
import {
  backup,
  hasDatabase,
  journalFolder,
  lostDatabase,
  missingDatabase,
  openStore,
  restore,
} from './open-store.ts'
import { hasJournal, overdueFiles } from './operations/journal-files.ts'
import { readJournals } from './operations/read-journals.ts'
import { createLog } from './operations/log.ts'
import { recoverStore } from './recover-store.ts'
import { KeyRing } from './tokens/key-ring.ts'

type Service = Pick<Context, 'settings' | 'startService'>

/** Runs the command that `args` name. */
export async function runCommand(service: Service, args: readonly string[]): Promise<void> {
  await commandLine(service).parseAsync(args, { from: 'user' })
}

/** All commands; callers such as the generator of the command reference only list them. */
export function commandLine(service: Service): ReturnType<typeof createProgram> {
  return createProgram({
    ...service,
    openStore,
    backup,
    restore,
    hasDatabase,
    lostDatabase,
    missingDatabase,
    hasJournal,
    async damagedJournals(settings, store) {
      const { damaged } = await readJournals([journalFolder(settings)], await store.databaseId())
      return damaged
    },
    overdueJournals: (settings, store) => overdueFiles(journalFolder(settings), store.clock.nowMs()),
    recover: recoverStore,
    async open(settings) {
      const { store } = await openStore(settings)
      try {
        const composed = await compose(settings, store, createLog('warn'), KeyRing.read)
        return { ...composed, close: () => composed.recorder.stop().then(() => store.close()) }
      } catch (error) {
        await store.close()
        throw error
      }
    },
  })
}
