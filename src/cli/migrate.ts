import { Command } from 'commander'
import type { Context } from './context.ts'
import { print } from './terminal.ts'

/** `duktig migrate`: brings the schema up to date, as every start of the service does. */
export function migrateCommand(context: Context): Command {
  return new Command('migrate')
    .description('bring the database up to date, as every start does')
    .action(async () => {
      const { store, applied } = await context.openStore(context.settings())
      await store.close()
      print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join('; ')}.`)
    })
}
