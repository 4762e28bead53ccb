import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { createDateFormat } from '../../core/dates.ts'
import { importAccounts } from '../../usecases/import-accounts.ts'
import { type Context, withNewDeps } from '../context.ts'
import { CommandError, print } from '../terminal.ts'

/** The number of lines between two reports of progress; hashing a plain password takes about 10 ms. */
const PROGRESS_EVERY = 500

/** `duktig account import`: imports all lines of a file, or none. */
export function importCommand(context: Context): Command {
  return new Command('import')
    .description('import accounts from JSON lines, all or none; docs/operate.md describes the fields')
    .argument('<file>', 'one JSON object a line')
    .action(async (file: string) => {
      const dates = createDateFormat(context.settings().timeZone)
      await withNewDeps(context, async ({ deps }) => {
        const progress = (ready: number) => {
          if (ready % PROGRESS_EVERY === 0) process.stderr.write(`${ready} lines read\n`)
        }
        const result = await importAccounts(deps, linesOf(file), dates, progress)
        if (typeof result !== 'number')
          throw new CommandError(`${file}, line ${result.line}: ${result.reason}; nothing was imported`)
        print(`Imported ${result} accounts.`)
      })
    })
}

async function* linesOf(file: string): AsyncIterable<string> {
  const input = createReadStream(file, 'utf8')
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`)
  }
}
