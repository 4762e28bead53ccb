/** The process: settings, the command line, and what the commands stand on. The only place that knows everything. */
import { createProgram } from './cli/program.ts'
import { together } from './cli/recover.ts'
import { CommandError } from './cli/terminal.ts'
import { compose } from './compose.ts'
import { backup, journalFolder, openEngine, openStore, RestoredStore, restore } from './open-store.ts'
import { readJournals } from './operations/end-journal.ts'
import { createLog } from './operations/log.ts'
import { SettingsError, readSettings, variablesWithFile } from './settings/read-settings.ts'
import { StoreUnavailable } from './store/store.ts'
import { SealError } from './tokens/seal.ts'

const EXPECTED = [CommandError, SettingsError, StoreUnavailable, SealError, RestoredStore]

const program = createProgram({
  settings: () => readSettings(variablesWithFile(process.env, '.env')),
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
  async startService(settings) {
    // Only here: the other commands start faster without a server.
    const { startService } = await import('./serve.ts')
    return startService(settings)
  },
})

// Whoever reads our output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (EXPECTED.some((kind) => error instanceof kind))
    process.stderr.write(`duktig: ${(error as Error).message}\n`)
  else if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    process.stderr.write(
      `duktig: ${(error as Error).message}; set DUKTIG_PORT or DUKTIG_METRICS_PORT to a free port\n`,
    )
  } else
    process.stderr.write(
      `duktig: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
  process.exitCode = 1
}
