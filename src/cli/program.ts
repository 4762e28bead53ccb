import { Command } from 'commander'
import { settingsHelp } from '../settings/reference.ts'
import { VERSION } from '../version.ts'
import { accountCommand } from './account.ts'
import { applicationCommand } from './application.ts'
import { auditCommand } from './audit.ts'
import { backupCommand, restoreCommand } from './backup.ts'
import type { Context } from './context.ts'
import { doctorCommand } from './doctor.ts'
import { importCommand } from './import.ts'
import { keysCommand } from './keys.ts'
import { migrateCommand } from './migrate.ts'
import { recoverCommand } from './recover.ts'
import { runService } from './serve.ts'

/** The command line `duktig`. */
export function createProgram(context: Context): Command {
  const program = new Command('duktig')
    .description('Sign in once, stay signed in everywhere, be signed out everywhere in a second.')
    .version(VERSION)
    .addCommand(new Command('serve').description('run the service').action(() => runService(context)))
    .addCommand(migrateCommand(context))
    .addCommand(accountCommand(context))
    .addCommand(applicationCommand(context))
    .addCommand(importCommand(context))
    .addCommand(keysCommand(context))
    .addCommand(auditCommand(context))
    .addCommand(backupCommand(context))
    .addCommand(restoreCommand(context))
    .addCommand(recoverCommand(context))
    .addCommand(doctorCommand(context))
    .addHelpText(
      'after',
      () => `\nSettings, from the environment or from .env in the working folder:\n${settingsHelp()}`,
    )
  pointToHelp(program, 'duktig')
  return program
}

/** A mistake in a command line is told as all other mistakes are, and with the help that lists what the command takes. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`\`${path} --help\` lists what it takes`)
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'duktig: ')) })
  for (const sub of command.commands) pointToHelp(sub, `${path} ${sub.name()}`)
}
