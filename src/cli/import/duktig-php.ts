import { Command } from 'commander'
import { createDateFormat } from '../../core/dates.ts'
import { timeZone } from '../../settings/kinds.ts'
import { NOTES } from '../../usecases/duktig-php-user.ts'
import { type Conflict, type DuktigPhpReport, importDuktigPhp } from '../../usecases/import-duktig-php.ts'
import { type Context, withDepsToLookAt, withNewDeps } from '../context.ts'
import { CommandError, ask, print } from '../terminal.ts'
import { readUsers, sourceOf } from './read-users.ts'

interface Options {
  readonly from: string
  readonly dryRun?: boolean
  readonly timeZone?: string
}

/** Further conflicts are only counted. */
const CONFLICTS_SHOWN = 20
const PROGRESS_EVERY_MS = 1000

/** `duktig import duktig-php`: imports all accounts of the PHP original, or none. */
export function duktigPhpCommand(context: Context): Command {
  return new Command('duktig-php')
    .description(
      'import the accounts of Duktig.Microservice 1.x, all or none; docs/moving-over.md explains how',
    )
    .requiredOption(
      '--from <url>',
      'its database: mysql://user:password@host:3306/DuktigUsers; a password that is left out is taken from MYSQL_PWD or asked for',
    )
    .option('--dry-run', 'only report what would be done')
    .option('--time-zone <zone>', 'the time zone of its dates; DUKTIG_TIME_ZONE when left out')
    .action((options: Options) => run(context, options))
}

async function run(context: Context, options: Options): Promise<void> {
  const dryRun = options.dryRun === true
  const zone = zoneOf(options.timeZone ?? context.settings().timeZone)
  const given = sourceOf(options.from)
  const password = given.password ?? process.env['MYSQL_PWD'] ?? (await ask('Password: ', { hidden: true }))
  const users = await readUsers({ ...given, password }, teller('accounts read'))
  const withDeps = dryRun ? withDepsToLookAt : withNewDeps
  await withDeps(context, async ({ deps }) => {
    const how = { dryRun, progress: teller('plain-text passwords hashed') }
    const report = await importDuktigPhp(deps, users, createDateFormat(zone), how)
    // The report would tell of changes that were not made.
    if (report.conflicts.length > 0 && !dryRun) throw refused(report.conflicts)
    print(`${report.count} accounts in ${given.database}; its dates are read as local times of ${zone}.`)
    printNotes(report)
    if (report.conflicts.length > 0) throw refused(report.conflicts)
    print(dryRun ? 'Dry run: nothing was imported.' : `Imported ${report.count} accounts.`)
  })
}

function zoneOf(text: string): string {
  const parsed = timeZone().parse(text)
  if ('value' in parsed) return parsed.value
  throw new CommandError(`--time-zone ${parsed.mistake}`)
}

/** Reports progress at intervals, on standard error, so that the report on standard output can be kept in a file. */
function teller(what: string): (done: number, ofAll: number) => void {
  let toldMs = performance.now()
  let told = 0
  return (done, ofAll) => {
    if (done === told || (done < ofAll && performance.now() - toldMs < PROGRESS_EVERY_MS)) return
    told = done
    toldMs = performance.now()
    process.stderr.write(`${done} of ${ofAll} ${what}\n`)
  }
}

function printNotes({ notes }: DuktigPhpReport): void {
  for (const [note, ids] of notes) {
    print(`\n${NOTES[note]}: ${ids.length}`)
    print(`  userId ${ranges(ids)}`)
  }
  if (notes.size > 0) print('')
}

/** Ids in ascending order as text, such as `1, 3-5, 9`. */
function ranges(ids: readonly number[]): string {
  const runs: [number, number][] = []
  for (const id of ids) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === id - 1) last[1] = id
    else runs.push([id, id])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')
}

const WHY: Record<Conflict['why'], (otherId: number | null) => string> = {
  'no-email': () => 'has no e-mail address',
  'bad-id': () => 'is no whole number from 1 to 999999999999',
  'id-twice': () => 'is there twice',
  'email-twice': (otherId) => `has the same e-mail address as userId ${otherId}`,
  'id-taken': () => 'is the id of an account that is here already',
  'email-taken': (otherId) => `has the e-mail address of an account that is here already${named(otherId)}`,
}

function named(accountId: number | null): string {
  return accountId === null ? '' : ` (${accountId})`
}

function refused(conflicts: readonly Conflict[]): CommandError {
  const lines = conflicts
    .slice(0, CONFLICTS_SHOWN)
    .map(({ userId, why, otherId }) => `  userId ${userId} ${WHY[why](otherId)}`)
  const more = conflicts.length - lines.length
  if (more > 0) lines.push(`  and ${more} more`)
  const taken = conflicts.some(({ why }) => why === 'id-taken' || why === 'email-taken')
  const hint = taken ? '\nImport into a store that has no accounts yet; the import cannot be run twice.' : ''
  return new CommandError(`nothing was imported:\n${lines.join('\n')}${hint}`)
}
