import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import type { Context } from './context.ts'
import { decisionOf, recoverAndTell } from './recover.ts'
import { CommandError, isSystemError, print } from './terminal.ts'

/** `duktig backup`: writes a consistent copy of the SQLite database while the service runs. */
export function backupCommand(context: Context): Command {
  return new Command('backup')
    .description('write a consistent copy of the SQLite database to a file, while the service runs')
    .argument('<file>')
    .action(async (file: string) => {
      const settings = context.settings()
      if (settings.databaseUrl !== null) {
        throw new CommandError(
          'back PostgreSQL up with its own tools (pg_basebackup, pg_dump); `duktig recover` follows a restore',
        )
      }
      if (!context.hasDatabase(settings))
        throw new CommandError(
          `there is no database in ${resolve(settings.dataDir)}: look whether it is the right folder`,
        )
      if (existsSync(file))
        throw new CommandError(`${file} exists already: name another file, or remove this one first`)
      const folder = dirname(file)
      if (!existsSync(folder)) throw new CommandError(`the folder ${folder} does not exist: make it first`)
      await context.backup(settings, file).catch((error: unknown) => {
        throw isSystemError(error)
          ? new CommandError(`the backup could not be written to ${file}: ${error.message}`)
          : error
      })
      print(
        `Backup written to ${file}. The master secret and the journals are not in it: keep ${settings.dataDir} too.`,
      )
    })
}

/** `duktig restore`: puts a backup in place of the database, then recovers it with the journals. */
export function restoreCommand(context: Context): Command {
  return new Command('restore')
    .description(
      'put a backup in the place of the SQLite database; stop the service first; the command also runs `recover`',
    )
    .argument('<file>')
    .option('--end-all-sessions', 'end all sessions')
    .option('--revive-ended-sessions', 'without complete journals, accept that ended sessions come back')
    .action(async (file: string, options: { endAllSessions?: boolean; reviveEndedSessions?: boolean }) => {
      const decision = decisionOf(options)
      const settings = context.settings()
      if (settings.databaseUrl !== null) {
        throw new CommandError('restore PostgreSQL with its own tools, then run `duktig recover`')
      }
      const aside = await context.restore(settings, file)
      if (typeof aside === 'object') throw new CommandError(aside.problem)
      if (aside !== '') print(`The database before is kept as ${aside}.`)
      await recoverAndTell(context, settings, { journalFolders: [], ...decision })
    })
}
