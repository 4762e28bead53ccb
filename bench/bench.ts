/**
 * `npm run bench [-- --quick] [-- --only name,…]`: measures what the project claims about its speed, against a bare
 * node:http server and other programs in the same run. A measurement, not a test: it exits with 0 whatever it finds,
 * unless a row could not be measured. `docs/performance.md` explains the method.
 */
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Context, type Figure, type Row } from './harness/context.ts'
import { plot } from './harness/plot.ts'
import { cleanUpAtEnd, isInMemory, pinToLoadCore } from './harness/processes.ts'
import { commit, markdown, reportOf } from './harness/report.ts'
import { growthRow } from './rows/growth.ts'
import { peersRow } from './rows/peers.ts'
import { workRows } from './rows/refresh.ts'
import { floodRow, signInRow } from './rows/sign-in.ts'
import { startRow } from './rows/start.ts'

const ROWS: readonly Row[] = [...workRows, peersRow, signInRow, floodRow, startRow, growthRow]
/** Size of a store with ten million sessions. */
const GROWTH_BYTES = 12e9
const results = fileURLToPath(new URL('results', import.meta.url))

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const rows = selected(values.only)
const begun = { date: new Date().toISOString(), commit: commit() }
cleanUpAtEnd()
warnOfFiles()
pinToLoadCore()
const context = new Context(values.quick)
const figures: Figure[] = []
const failures: Record<string, string> = {}
for (const row of rows) {
  process.stderr.write(`${row.name}: ${row.title}\n`)
  try {
    figures.push(...(await row.run(context)))
  } catch (error) {
    failures[row.name] = (error as Error).message
    process.stderr.write(`  not measured: ${(error as Error).stack ?? String(error)}\n`)
  }
  // After each row, since a later one may fail or be interrupted; beside the results of an earlier run, not over them.
  write('.partial')
}
await context.close()
const written = write('')
for (const kind of ['json', 'md']) rmSync(`${written.file}.partial.${kind}`)
// The plot of the README shows whole runs only.
const isWhole = rows.length === ROWS.length && Object.keys(failures).length === 0
if (isWhole && !values.quick) writeFileSync(join(results, 'latest.svg'), plot(written.report))
process.stdout.write(`\n${written.table}\nwritten to ${written.file}.md and .json\n`)
process.exit(Object.keys(failures).length === 0 ? 0 : 1)

/** Only warns: somebody may want to know what the processor alone achieves. */
function warnOfFiles(): void {
  const folder = tmpdir()
  if (isInMemory(folder))
    process.stderr.write(
      `${folder} is in memory: syncs cost nothing there. TMPDIR names a folder on a disk.\n`,
    )
  const { bavail, bsize } = statfsSync(folder)
  if (!values.quick && rows.includes(growthRow) && bavail * bsize < GROWTH_BYTES)
    process.stderr.write(`${folder} has too little room for ten million sessions (12 GB).\n`)
}

function selected(only: string | undefined): readonly Row[] {
  if (only === undefined) return ROWS
  const names = only.split(',')
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name))
  if (unknown.length > 0) {
    process.stderr.write(
      `no row ${unknown.join(', ')}; there are ${ROWS.map((row) => row.name).join(', ')}\n`,
    )
    process.exit(2)
  }
  return ROWS.filter((row) => names.includes(row.name))
}

/** Writes the results so far. A run of some rows gets a name of its own, so as not to overwrite a whole run. */
function write(end: string) {
  const report = reportOf(values.quick, figures, failures, begun)
  const table = markdown(report, rows)
  const part = rows.length === ROWS.length ? '' : `-${rows.map((row) => row.name).join('+')}`
  const name = `${report.date.slice(0, 10)}-${report.commit}${part}${values.quick ? '-quick' : ''}`
  const file = join(results, name)
  mkdirSync(results, { recursive: true })
  writeFileSync(`${file}${end}.json`, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(`${file}${end}.md`, table)
  return { report, table, file }
}
