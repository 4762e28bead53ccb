/** The `.env` file beside the environment: what it gives, and what of it is a mistake. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { readSettingsWithFile } from '../../src/settings/read-settings.ts'
import { mistakesOf } from './mistakes.ts'

describe('a file .env', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-env-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, '.env')

  test('gives variables, and the environment wins', () => {
    writeFileSync(file, '# ours\nDUKTIG_PORT=1234\nDUKTIG_AUDIENCE="from-file" \nDUKTIG_MODE=development\n')
    const { port, audience, mode } = readSettingsWithFile({ DUKTIG_PORT: '5678', OTHER: 'x' }, file)
    assert.deepEqual({ port, audience, mode }, { port: 5678, audience: 'from-file', mode: 'development' })
  })
  test('speaks where a variable of the environment is empty', () => {
    writeFileSync(file, 'DUKTIG_AUDIENCE=from-file\n')
    assert.equal(readSettingsWithFile({ DUKTIG_AUDIENCE: '' }, file).audience, 'from-file')
  })
  test('need not be there', () => {
    assert.equal(readSettingsWithFile({ DUKTIG_PORT: '5678' }, join(folder, 'nothing')).port, 5678)
  })
  test('may begin with a byte order mark', () => {
    writeFileSync(file, '\uFEFFDUKTIG_AUDIENCE=from-file\n')
    assert.equal(readSettingsWithFile({}, file).audience, 'from-file')
  })
  test('may leave to the environment what it names without a value', () => {
    writeFileSync(file, 'DUKTIG_AUDIENCE\n')
    assert.equal(readSettingsWithFile({ DUKTIG_AUDIENCE: 'ours' }, file).audience, 'ours')
  })
  test('never shows a secret whose line lacks the sign behind its name', () => {
    writeFileSync(
      file,
      'DUKTIG_SECRET: q83vq83vq83v==\nDUKTIG_AUTH_KEY;q83vq83vq83v==\nDUKTIG_DATABASE_URL postgres://u:pw@h/db?sslmode=require\n',
    )
    assert.deepEqual(
      mistakesOf({ DUKTIG_DATABASE_URL: 'postgres://h/db' }, file).map((mistake) =>
        mistake.replace(folder, ''),
      ),
      [
        '/.env gives DUKTIG_SECRET no value: write DUKTIG_SECRET=…',
        '/.env gives DUKTIG_AUTH_KEY no value: write DUKTIG_AUTH_KEY=…',
      ],
    )
  })
  test('that names something without a value is not told about its default, but about a wrong name', () => {
    writeFileSync(file, 'DUKTIG_METRICS_PORT 9000\nDUKTIG_PROT 80\nDUKTIG_CORS-ORIGINS=x\nDUKTIG_HOST;\n')
    assert.deepEqual(
      mistakesOf({ DUKTIG_PORT: '8089' }, file).map((mistake) => mistake.replace(folder, '')),
      [
        '/.env gives DUKTIG_METRICS_PORT no value: write DUKTIG_METRICS_PORT=…',
        'DUKTIG_PROT is no setting; `duktig --help` lists them all',
        'DUKTIG_CORS is no setting; `duktig --help` lists them all',
        '/.env gives DUKTIG_HOST no value: write DUKTIG_HOST=…',
      ],
    )
  })
  test('that cannot be read is a mistake, and so is a line that gives nothing; all are listed at once', () => {
    writeFileSync(
      file,
      'DUKTIG_PORT 1234\n  export DUKTIG_SECRET: abc\nDUKTIG_MODE\n#DUKTIG_HOST\nDUKTIG_AUDIENCE = ours\nDUKTIG_ISSUER=\n',
    )
    assert.deepEqual(
      mistakesOf({ DUKTIG_METRICS_PORT: 'x' }, file).map((mistake) => mistake.replace(folder, '')),
      [
        '/.env gives DUKTIG_PORT no value: write DUKTIG_PORT=…',
        '/.env gives DUKTIG_SECRET no value: write DUKTIG_SECRET=…',
        '/.env gives DUKTIG_MODE no value: write DUKTIG_MODE=…',
        'DUKTIG_METRICS_PORT must be a whole number, 0 to 65535, not "x"',
      ],
    )
    mkdirSync(join(folder, 'folder'))
    // Nothing is said of what may stand in the file.
    const settings = { DUKTIG_PORT: 'x', DUKTIG_LEGACY_ACCOUNT_KEY: 'k'.repeat(20) }
    const [first = '', ...others] = mistakesOf(settings, join(folder, 'folder'))
    assert.match(first, /folder cannot be read: /)
    assert.deepEqual(others, ['DUKTIG_PORT must be a whole number, 0 to 65535, not "x"'])
  })
})
