/**
 * `npm run defects`, the museum: puts each known defect into a copy of the sources, one at a time, and expects tests to
 * fail. Tests that stay green with their defect in place prove nothing, and fail this run. Arguments are numbers of
 * rows to run alone.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { MUTATIONS } from './defects/all.ts'
import { copyCheckout, putIn } from './defects/checkout.ts'
import type { Mutation } from './defects/mutation.ts'
import { type RunningPostgres, startPostgres } from '../test/support/postgres.ts'

const AT_A_TIME = 2
const LONGEST_RUN_MS = 900_000

/** The outcome of a mutation; `problem` is null when a test noticed the defect. */
interface Result {
  readonly mutation: Mutation
  readonly problem: string | null
  readonly caughtBy: string
}

interface TestRun {
  readonly code: number | null
  readonly output: string
}

const chosen = process.argv.slice(2)
const mutations = MUTATIONS.filter(({ defect }) => chosen.length === 0 || chosen.includes(defect))
const startedMs = performance.now()
const copies = Array.from({ length: AT_A_TIME }, copyCheckout)
let postgres: RunningPostgres | null = null
try {
  if (mutations.some((mutation) => mutation.postgres === true)) postgres = await startPostgres()
  const failing = await failingWithout()
  if (failing.length > 0) fail(`Some tests fail without any defect:\n${failing.join('\n')}`)
  else report(await runAll())
} finally {
  await postgres?.stop()
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
}

/** Runs the same tests without any defect: unless they pass, failures prove nothing. Returns those that fail. */
async function failingWithout(): Promise<readonly string[]> {
  const runs = new Map<string, Mutation>()
  for (const mutation of mutations) runs.set(`${mutation.caughtBy.join()} ${mutation.only ?? ''}`, mutation)
  process.stdout.write(`${mutations.length} defects; first the tests without any, in ${runs.size} runs …\n`)
  const waiting = [...runs.values()]
  const failing: string[] = []
  async function worker(copy: string): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { code, output } = await runTests(copy, next.caughtBy, next.only)
      const [first] = failures(output)
      if (code !== 0) failing.push(`${next.caughtBy.join()}: ${first ?? output.slice(-500)}`)
    }
  }
  await Promise.all(copies.map(worker))
  return failing
}

async function runAll(): Promise<readonly Result[]> {
  const results: Result[] = []
  const waiting = mutations.map((mutation, i) => ({ mutation, i }))
  async function worker(copy: string): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await tryMutation(copy, next.mutation)
      results[next.i] = result
      process.stdout.write(line(result))
    }
  }
  await Promise.all(copies.map(worker))
  return results
}

async function tryMutation(copy: string, mutation: Mutation): Promise<Result> {
  const result = (problem: string | null, caughtBy = '') => ({ mutation, problem, caughtBy })
  const takeOut = putIn(copy, mutation)
  if (typeof takeOut === 'string') return result(takeOut)
  try {
    const { code, output } = await runTests(copy, mutation.caughtBy, mutation.only)
    if (code === 0) return result('NO TEST NOTICED')
    const [first] = failures(output)
    return first === undefined
      ? result(`the tests could not run: ${output.slice(-500)}`)
      : result(null, first)
  } finally {
    takeOut()
  }
}

function runTests(copy: string, files: readonly string[], only: string | undefined): Promise<TestRun> {
  const pattern = only === undefined ? [] : [`--test-name-pattern=${only}`]
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' }
  // An outer test run sets this variable, which would silence the inner one.
  delete env['NODE_TEST_CONTEXT']
  if (postgres !== null) env['DUKTIG_TEST_DATABASE_URL'] = postgres.url
  // A failing test may leave a service running.
  const args = [
    '--test',
    '--test-force-exit',
    '--test-reporter=tap',
    '--test-concurrency=1',
    ...pattern,
    ...files,
  ]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: copy, env, timeout: LONGEST_RUN_MS })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }))
  })
}

/** The names of the failed tests, inner ones first; a file that could not be loaded is not a test. */
function failures(output: string): readonly string[] {
  return [...output.matchAll(/^( *)not ok \d+ - (.*)$/gm)]
    .map(([, indent = '', name = '']) => ({ depth: indent.length, name: name.replaceAll('\\#', '#') }))
    .filter(({ name }) => !name.endsWith('.test.ts'))
    .toSorted((a, b) => b.depth - a.depth)
    .map(({ name }) => name)
}

function line({ mutation, problem, caughtBy }: Result): string {
  const outcome = problem === null ? `caught by “${caughtBy}”` : `FAILED: ${problem}`
  return `${mutation.defect.padStart(4)} | ${mutation.sentence} | ${outcome}\n`
}

function report(results: readonly Result[]): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  const missed = results.filter(({ problem }) => problem !== null)
  process.stdout.write(`\ndefect | mutation | caught by\n${results.map(line).join('')}\n`)
  process.stdout.write(
    `${results.length - missed.length} of ${results.length} defects caught, in ${seconds} s.\n`,
  )
  if (missed.length > 0) fail('Tests that stay green with their defect prove nothing.')
}

function fail(why: string): void {
  process.stdout.write(`${why}\n`)
  process.exitCode = 1
}
