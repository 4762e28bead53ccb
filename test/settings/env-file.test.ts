/** The `.env` file beside the environment: the values that it gives, and the mistakes in it. */
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
  test('that spells a name of ours in its own way is told how to write it', () => {
    const others = 'duktig_image=1\nMY_duktig_port=1\n#duktig_port=1\nOTHER="\nduktig_host=a\n"\n'
    writeFileSync(file, `duktig_port=1\nexport DUKTIG-HOST = x\nDuktig_Metrics.Port=\n${others}`)
    const right = ['DUKTIG_PORT', 'DUKTIG_HOST', 'DUKTIG_METRICS_PORT']
    const told = ['duktig_port', 'DUKTIG-HOST', 'Duktig_Metrics.Port'].map(
      (name, i) => `${name} in /.env sets nothing: write ${right[i]}`,
    )
    assert.deepEqual(
      mistakesOf({}, file).map((mistake) => mistake.replace(folder, '')),
      told.sort(),
    )
  })
  test('need not be there for a name of ours in the environment to be told how it is written', () => {
    const others = { duktig_image: '1', my_duktig_host: '1', Duktig_Host: '', DUKTIG_TEST_share: '1' }
    const settings = { duktig_port: '1', duktig_mode: 'development', DUKTIG_MODE: 'development' }
    const told = 'duktig_port in the environment sets nothing: write DUKTIG_PORT'
    assert.deepEqual(mistakesOf({ ...others, ...settings }, join(folder, 'none')), [told])
    assert.deepEqual(mistakesOf({ DUKTIG_Port: '1' }, join(folder, 'none')), [
      'DUKTIG_Port is no setting; `duktig --help` lists them all',
    ])
    writeFileSync(file, 'DUKTIG_PORT=8088\n')
    assert.equal(readSettingsWithFile(settings, file).port, 8088)
    const [first, second] = mistakesOf({ ...others, ...settings }, folder)
    assert.equal(first, told)
    assert.match(second ?? '', /cannot be read/)
  })
  test('that names something without a value is not told about its default, but about a wrong name', () => {
    writeFileSync(file, 'DUKTIG_METRICS_PORT 9000\nDUKTIG_PROT 80\nDUKTIG_CROS-ORIGINS=x\nDUKTIG_HOST;\n')
    assert.deepEqual(
      mistakesOf({ DUKTIG_PORT: '8089' }, file).map((mistake) => mistake.replace(folder, '')),
      [
        'DUKTIG_CROS-ORIGINS is no setting; `duktig --help` lists them all',
        '/.env gives DUKTIG_METRICS_PORT no value: write DUKTIG_METRICS_PORT=…',
        'DUKTIG_PROT is no setting; `duktig --help` lists them all',
        '/.env gives DUKTIG_HOST no value: write DUKTIG_HOST=…',
      ],
    )
  })
  describe('whose value is not what somebody wrote', () => {
    const CUT_AT_HASH = 'is cut short at a #: put it in quotes, or a space before a comment'
    const CUT_AT_QUOTE = 'is cut short at a quote: choose quotes of a kind that the value does not hold'
    const told = (lines: string, variables = {}) => {
      writeFileSync(file, lines)
      return mistakesOf(variables, file).map((mistake) => mistake.replace(folder, ''))
    }

    test('for a # without a space before it is told, all at once with other mistakes, and no secret is shown', () => {
      const lines = [
        'DUKTIG_SECRET=q83vq83vq83vq83v#q83vq83vq83vq83v',
        'DUKTIG_AUTH_KEY = short#but-longer-than-sixteen',
        'export DUKTIG_DATABASE_URL=postgres://u:p#w@h/db',
        'DUKTIG_LEGACY_REFRESH_SECRET=#begins',
        "DUKTIG_LEGACY_ACCOUNT_KEY=it's#",
        'DUKTIG_PORT=x # the port',
      ]
      assert.deepEqual(told(lines.join('\r\n')), [
        `the value of DUKTIG_AUTH_KEY in /.env ${CUT_AT_HASH}`,
        `the value of DUKTIG_DATABASE_URL in /.env ${CUT_AT_HASH}`,
        `the value of DUKTIG_LEGACY_ACCOUNT_KEY in /.env ${CUT_AT_HASH}`,
        `the value of DUKTIG_LEGACY_REFRESH_SECRET in /.env ${CUT_AT_HASH}`,
        `the value of DUKTIG_SECRET in /.env ${CUT_AT_HASH}`,
        'DUKTIG_PORT must be a whole number, 0 to 65535, not "x"',
      ])
    })
    test('for what stands behind its quotes is told', () => {
      const lines = [
        'DUKTIG_AUTH_KEY="a-key-with-a-"-in-it-and-#"',
        "DUKTIG_LEGACY_ACCOUNT_KEY='it's'",
        'DUKTIG_LEGACY_REFRESH_SECRET="two" words',
        'DUKTIG_AUDIENCE="ours"#"',
      ]
      assert.deepEqual(
        told(lines.join('\n')),
        ['AUTH_KEY', 'LEGACY_ACCOUNT_KEY', 'LEGACY_REFRESH_SECRET', 'AUDIENCE'].map(
          (name) => `the value of DUKTIG_${name} in /.env ${CUT_AT_QUOTE}`,
        ),
      )
    })
    test('for a quote that is opened and not closed is told, and not for one within others', () => {
      const open = 'begins with a quote and never ends: put a quote behind it, or take this one away'
      assert.deepEqual(told(`DUKTIG_AUTH_KEY="a-key-of-16-characters\nDUKTIG_AUDIENCE = 'ours\n`), [
        `the value of DUKTIG_AUTH_KEY in /.env ${open}`,
        `the value of DUKTIG_AUDIENCE in /.env ${open}`,
      ])
      assert.deepEqual(told('DUKTIG_AUDIENCE=`"ours`\n'), [])
    })
    test('is not told where the environment speaks, where a later line does, and of what is no setting of ours', () => {
      const lines =
        'DUKTIG_AUDIENCE=a#b\nDUKTIG_PORT=12#34\nDUKTIG_PORT=1234\nPASSWORD=a#b\nDUKTIG_PROT=a#b\n'
      assert.deepEqual(told(lines, { DUKTIG_AUDIENCE: 'ours' }), [
        'DUKTIG_PROT is no setting; `duktig --help` lists them all',
      ])
    })
  })
  test('holds comments behind a space, and any # in quotes', () => {
    const lines = [
      '# DUKTIG_PORT=1#2',
      '## all of ours ##',
      'DUKTIG_PORT=8080 # the port, #1 of two',
      'DUKTIG_HOST=::1\t#the host#',
      'DUKTIG_ISSUER= # none',
      'DUKTIG_AUDIENCE="a#b" # it is "ours"',
      "DUKTIG_LEGACY_REFRESH_SECRET='#\"a#'",
      'DUKTIG_LEGACY_ACCOUNT_KEY=`a#"\'b`',
      'OTHER="several',
      'DUKTIG_MODE=lines#"',
    ]
    writeFileSync(file, lines.join('\n'))
    const { port, host, issuer, audience, legacyRefreshSecret, legacyAccountKey } = readSettingsWithFile(
      {},
      file,
    )
    assert.deepEqual(
      { port, host, issuer, audience, legacyRefreshSecret, legacyAccountKey },
      {
        port: 8080,
        host: '::1',
        issuer: null,
        audience: 'a#b',
        legacyRefreshSecret: '#"a#',
        legacyAccountKey: `a#"'b`,
      },
    )
  })
  test('leaves a setting unset behind whose name stands nothing but spaces, and never takes the next line for it', () => {
    const secret = 'q83vq83vq83vq83vq83vq83vq83vq83v'
    writeFileSync(
      file,
      `DUKTIG_AUDIENCE= \t\r\nDUKTIG_SECRET=${secret}\nDUKTIG_ISSUER = \n\nDUKTIG_PORT=1234\n`,
    )
    const settings = readSettingsWithFile({}, file)
    assert.deepEqual(
      [settings.audience, settings.secret, settings.issuer, settings.port],
      ['duktig', secret, null, 1234],
    )
  })
  test('shows of a wrong value no other line, which may be a secret', () => {
    writeFileSync(file, 'DUKTIG_PORT="80\nDUKTIG_SECRET=q83vq83v\nOTHER="\n')
    assert.deepEqual(mistakesOf({}, file), ['DUKTIG_PORT must be a whole number, 0 to 65535, not "80…"'])
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
    // The missing DUKTIG_LEGACY_REFRESH_SECRET is not reported, because it may be in the file.
    const settings = { DUKTIG_PORT: 'x', DUKTIG_LEGACY_ACCOUNT_KEY: 'k'.repeat(20) }
    const [first = '', ...others] = mistakesOf(settings, join(folder, 'folder'))
    assert.match(first, /folder cannot be read: /)
    assert.deepEqual(others, ['DUKTIG_PORT must be a whole number, 0 to 65535, not "x"'])
  })
})
