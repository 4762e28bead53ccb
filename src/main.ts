/** The process: runs the service or hands over to the command line, and prints what went wrong. */
import type { Context } from './cli/context.ts'
import { runService } from './cli/serve.ts'
import { CommandError, Interrupted, isSystemError } from './cli/terminal.ts'
import { CannotListen } from './http/listen.ts'
import { RestoredStore } from './open-store.ts'
import { SettingsError, readSettingsWithFile } from './settings/read-settings.ts'
import { StoreUnavailable } from './store/store.ts'
import { SealError } from './tokens/seal.ts'

const EXPECTED = [CommandError, SettingsError, StoreUnavailable, SealError, RestoredStore, CannotListen]
/** The exit status that a shell reports for a command ended by Ctrl-C. */
const INTERRUPTED = 130

const service: Pick<Context, 'settings' | 'startService'> = {
  settings: () => readSettingsWithFile(process.env, '.env'),
  async startService(settings, options) {
    const { startService } = await import('./serve.ts')
    return startService(settings, options)
  },
}

// A reader such as `head` may stop reading, which is no error. Any other failure, such as a full disk, is one: nobody
// would learn what a command did, or see the key that a first start shows. A full disk does not stop a running
// service, because its log does not go through this stream.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`duktig: standard output cannot be written: ${error.message}\n`)
  process.exit(1)
})

try {
  await run(process.argv.slice(2))
} catch (error) {
  if (isSystemError(error) || EXPECTED.some((kind) => error instanceof kind))
    process.stderr.write(`duktig: ${(error as Error).message}\n`)
  else if (!(error instanceof Interrupted))
    process.stderr.write(
      `duktig: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
  process.exitCode = error instanceof Interrupted ? INTERRUPTED : 1
}

/** Loads only what is needed: the service has no use for the commands, and commands start faster without the server. */
async function run(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === 'serve') return runService(service)
  const { runCommand } = await import('./command-line.ts')
  return runCommand(service, args)
}
