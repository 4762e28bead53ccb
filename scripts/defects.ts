/**
 * `npm run defects`, the museum: puts each known defect into a copy of the sources, one at a time, and expects tests to
 * fail. A test that stays green with its defect in place proves nothing, and fails this run. Numbers of rows as
 * arguments run only those.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { MUTATIONS } from './defects/all.ts'
import { copyCheckout, putIn } from './defects/checkout.ts'
import type { Mutation } from './defects/mutation.ts'
import { type RunningPostgres, startPostgres } from '../test/support/postgres.ts'

const AT_A_TIME = 2
const LONGEST_RUN_MS = 900_000

/** What came of a mutation; `problem` is null when a test noticed it. */
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
  const problem = await checkedWithout(copies[0] as string)
  const results = problem === null ? await runAll() : []
  report(results, problem)
} finally {
  await postgres?.stop()
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
}

/** Without any defect all tests must pass, or their failing would say nothing. What does not, or null. */
async function checkedWithout(copy: string): Promise<string | null> {
  const files = [...new Set(mutations.flatMap(({ caughtBy }) => caughtBy))]
  process.stdout.write(`${mutations.length} defects; first ${files.length} test files without any …\n`)
  const { code, output } = await runTests(copy, files, undefined, AT_A_TIME)
  return code === 0 ? null : failures(output).join('\n') || output.slice(-2000)
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

function runTests(
  copy: string,
  files: readonly string[],
  only: string | undefined,
  together = 1,
): Promise<TestRun> {
  const pattern = only === undefined ? [] : [`--test-name-pattern=${only}`]
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' }
  // Set by a test run around this one, it would silence the inner one.
  delete env['NODE_TEST_CONTEXT']
  if (postgres !== null) env['DUKTIG_TEST_DATABASE_URL'] = postgres.url
  // A test that fails may leave a service running.
  const args = [
    '--test',
    '--test-force-exit',
    '--test-reporter=tap',
    `--test-concurrency=${together}`,
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

/** The names of the tests that failed, inner ones first; a file that could not be loaded is none. */
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

function report(results: readonly Result[], problem: string | null): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  if (problem !== null) {
    process.stdout.write(`Some tests fail without any defect:\n${problem}\n`)
    process.exitCode = 1
    return
  }
  const missed = results.filter((result) => result.problem !== null)
  process.stdout.write(`\ndefect | mutation | caught by\n${results.map(line).join('')}\n`)
  process.stdout.write(
    `${results.length - missed.length} of ${results.length} defects caught, in ${seconds} s.\n`,
  )
  process.exitCode = missed.length === 0 ? 0 : 1
}
