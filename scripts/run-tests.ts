/** Runs the tests: one PostgreSQL for all files that need it, unless DUKTIG_TEST_DATABASE_URL names another. */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { startPostgres } from '../test/support/postgres.ts'

const named = process.argv.slice(2)
const files = named.length > 0 ? named : globSync('test/**/*.test.ts').sort()
const given = process.env['DUKTIG_TEST_DATABASE_URL']
const postgres = given === undefined ? await startPostgres() : null
const url = given ?? postgres?.url ?? ''
const runner = spawn(process.execPath, ['--test', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
  env: { ...process.env, DUKTIG_TEST_DATABASE_URL: url },
})
runner.on('exit', (code) => {
  void (async () => {
    await postgres?.stop()
    process.exit(code ?? 1)
  })()
})
