/**
 * `npm run prove:faults`: the tests of `test/faults`, `test/recovery` and of stores that cannot write, in their long
 * form. 1,000 kills and 300 power cuts take about two hours; `--quick` takes a tenth of them.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { startPostgres } from '../test/support/postgres.ts'

const share = process.argv.includes('--quick') ? 0.1 : 1
const files = [
  ...globSync('test/{faults,recovery}/*.test.ts'),
  ...globSync('test/endings/*unavailable*.test.ts'),
].sort()
const postgres = await startPostgres()
const runner = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files], {
  stdio: 'inherit',
  env: {
    ...process.env,
    DUKTIG_TEST_DATABASE_URL: postgres.url,
    // Of each engine.
    DUKTIG_PROVE_KILLS: String(500 * share),
    DUKTIG_PROVE_POWER_CUTS: String(300 * share),
    DUKTIG_PROVE_RESTARTS: String(20 * share),
    DUKTIG_PROVE_OVERLOAD_SECONDS: String(60 * share),
  },
})
runner.on('exit', (code) => {
  void postgres.stop().then(() => process.exit(code ?? 1))
})
