/** The command line: what the commands stand on, put together once one is called. */
import type { Context } from './cli/context.ts'
import { createProgram } from './cli/program.ts'
import { together } from './cli/recover.ts'
import { compose } from './compose.ts'
import { backup, journalFolder, openEngine, openStore, restore } from './open-store.ts'
import { readJournals } from './operations/end-journal.ts'
import { createLog } from './operations/log.ts'

/** Runs what `args` ask for. */
export async function runCommand(
  service: Pick<Context, 'settings' | 'startService'>,
  args: readonly string[],
): Promise<void> {
  const program = createProgram({
    ...service,
    openStore,
    openEngine: (settings) => openEngine(settings),
    backup,
    restore,
    journalFolder,
    readJournals: async (folders) => together(await Promise.all(folders.map(readJournals))),
    async open(settings) {
      const { store } = await openStore(settings)
      try {
        const composed = await compose(settings, store, createLog('warn'))
        return { ...composed, close: () => composed.recorder.stop().then(() => store.close()) }
      } catch (error) {
        await store.close()
        throw error
      }
    },
  })
  await program.parseAsync(args, { from: 'user' })
}
