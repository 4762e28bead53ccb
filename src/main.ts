/** The process: runs the service, or hands over to the command line, and words what went wrong. */
import type { Context } from './cli/context.ts'
import { runService } from './cli/serve.ts'
import { CommandError, Interrupted, isSystemError } from './cli/terminal.ts'
import { CannotListen } from './http/listen.ts'
import { RestoredStore } from './open-store.ts'
import { SettingsError, readSettingsWithFile } from './settings/read-settings.ts'
import { StoreUnavailable } from './store/store.ts'
import { SealError } from './tokens/seal.ts'

const EXPECTED = [CommandError, SettingsError, StoreUnavailable, SealError, RestoredStore, CannotListen]
/** What a shell gives for a command that Ctrl-C ended. */
const INTERRUPTED = 130

const service: Pick<Context, 'settings' | 'startService'> = {
  settings: () => readSettingsWithFile(process.env, '.env'),
  async startService(settings, showKey) {
    const { startService } = await import('./serve.ts')
    return startService(settings, undefined, showKey)
  },
}

// Whoever reads our output may stop reading, as `head` does. On a full disk nobody would learn what a command did, or the key that
// a first start shows. A service that runs is not stopped by it: its log goes another way.
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

/** A service at rest has no use for the other commands, and they start faster without a server: each loads its own half. */
async function run(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === 'serve') return runService(service)
  const { runCommand } = await import('./command-line.ts')
  return runCommand(service, args)
}
