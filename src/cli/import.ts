import { Command } from 'commander'
import type { Context } from './context.ts'
import { duktigPhpCommand } from './import/duktig-php.ts'

/** `duktig import …`. */
export function importCommand(context: Context): Command {
  return new Command('import')
    .description('take over the accounts of another program')
    .addCommand(duktigPhpCommand(context))
}
