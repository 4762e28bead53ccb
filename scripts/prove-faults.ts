/**
 * `npm run prove:faults`: the tests of `test/faults`, `test/recovery` and of stores that cannot write, in their long
 * form, one after the other; `npm run prove:faults kill power-loss` runs only those that are named. 1,000 kills and 300
 * power cuts take about 40 minutes; `--quick` does a tenth of them. A summary of what was done follows at the end.
 */
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/support/postgres.ts'

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const files = [
  ...globSync('test/{faults,recovery}/*.test.ts'),
  ...globSync('test/endings/*unavailable*.test.ts'),
].sort()
const names = files.map((file) => basename(file, '.test.ts'))
const unknown = positionals.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`there is no proof ${unknown.join(', ')}; there are ${names.join(', ')}\n`)
  process.exit(2)
}

const share = values.quick ? 0.1 : 1
const postgres = await startPostgres()
Object.assign(process.env, {
  DUKTIG_TEST_DATABASE_URL: postgres.url,
  // Kills of each engine: 1,000 in all.
  DUKTIG_PROVE_KILLS: String(500 * share),
  DUKTIG_PROVE_POWER_CUTS: String(300 * share),
  DUKTIG_PROVE_RESTARTS: String(20 * share),
  DUKTIG_PROVE_OVERLOAD_SECONDS: String(60 * share),
})
const chosen = files.filter((_, i) => positionals.length === 0 || positionals.includes(names[i] ?? ''))
const tests = run({ files: chosen, concurrency: 1 })
interface Done {
  /** The file and line of the test; several tests may share one. */
  readonly place: string
  readonly outcome: string
  readonly fails: boolean
  /** What the test reported having done. */
  readonly said: string[]
}
const done: Done[] = []
const placeOf = ({ file, line }: { readonly file?: string; readonly line?: number }) => `${file}:${line}`
tests.on('test:pass', (test) => {
  const isLeftOut = test.skip !== undefined
  const outcome = isLeftOut ? test.name : `${test.name}: holds`
  done.push({ place: placeOf(test), outcome, fails: false, said: isLeftOut ? ['left out'] : [] })
})
tests.on('test:fail', (test) => {
  done.push({ place: placeOf(test), outcome: `${test.name}: FAILS`, fails: true, said: [] })
  process.exitCode = 1
})
// What a test reports comes after its outcome.
tests.on('test:diagnostic', (diagnostic) => {
  done.findLast(({ place }) => place === placeOf(diagnostic))?.said.push(diagnostic.message)
})
for await (const text of tests.compose(spec)) process.stdout.write(text)
await postgres.stop()
process.stdout.write('\nWhat was done:\n')
for (const { outcome, fails, said } of done)
  if (said.length > 0 || fails) process.stdout.write(`${[outcome, ...said].join('\n  ')}\n`)
