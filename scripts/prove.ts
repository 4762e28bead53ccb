/**
 * `npm run prove`: the long proofs in `scripts/prove/`, one after the other, up to the first that fails; `npm run prove
 * walks` runs only those that are named. One PostgreSQL serves all, unless DUKTIG_TEST_DATABASE_URL names another.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '../test/support/postgres.ts'

/** The exit code of a proof for which the machine lacks something; the proof itself says what. */
const LEFT_OUT = 3

const folder = fileURLToPath(new URL('./prove/', import.meta.url))
const all = globSync('*.ts', { cwd: folder })
  .map((file) => basename(file, '.ts'))
  .sort()
const named = process.argv.slice(2)
const unknown = named.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`there is no proof ${unknown.join(', ')}; there are ${all.join(', ')}\n`)
  process.exit(2)
}

const given = process.env['DUKTIG_TEST_DATABASE_URL'] ?? ''
const postgres = given === '' ? await startPostgres() : null
try {
  for (const name of named.length > 0 ? named : all) {
    process.stdout.write(`== ${name}\n`)
    const startedMs = performance.now()
    const code = await run(join(folder, `${name}.ts`), postgres?.url ?? given)
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    const result = code === 0 ? 'holds' : code === LEFT_OUT ? 'is left out' : 'FAILS'
    process.stdout.write(`== ${name} ${result}, ${seconds} s\n`)
    if (code === 0 || code === LEFT_OUT) continue
    process.exitCode = 1
    break
  }
} finally {
  await postgres?.stop()
}

async function run(script: string, databaseUrl: string): Promise<number> {
  const env = { ...process.env, DUKTIG_TEST_DATABASE_URL: databaseUrl }
  const child = spawn(process.execPath, [script], { stdio: 'inherit', env })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (signal !== null) process.stdout.write(`== ended by ${signal}\n`)
  return code ?? 1
}
