/** The import, run as an operator runs it, against a real MariaDB. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { phpHash } from '../support/legacy.ts'
import {
  type LegacyDatabase,
  type RunningMariadb,
  legacyDatabase,
  mariadbMissing,
  startMariadb,
  userRow,
} from '../support/mariadb.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const missing = mariadbMissing()
const PLAIN = 'Plain-Secret-1'

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

describe(`duktig import duktig-php${missing === null ? '' : `: skipped, ${missing}`}`, {
  skip: missing !== null,
}, () => {
  let server: RunningMariadb | undefined
  let database: LegacyDatabase | undefined
  const folder = mkdtempSync(join(tmpdir(), 'duktig-import-'))
  const url = () => database?.url ?? ''
  before(async () => {
    server = await startMariadb()
    database = await legacyDatabase(server.url, [
      userRow(1, { roleId: 1, password: await phpHash('Old-Secret-1') }),
      userRow(2, { password: PLAIN, firstName: 'Zoë', lastName: 'Ճամփորդ', comment: '🚲' }),
      userRow(3, { roleId: null, status: null, password: await phpHash('Old-Secret-3') }),
      userRow(4, { dateRegistered: '0000-00-00 00:00:00', dateLastUpdate: '2019-02-31 00:00:00' }),
      userRow(5, {
        email: `${'a'.repeat(60)}@${'b'.repeat(35)}.com`,
        password: await phpHash('Old-Secret-5'),
      }),
      userRow(6, { email: 'nobody', phone: '', password: await phpHash('Old-Secret-6') }),
    ])
  })
  after(async () => {
    await database?.drop()
    await server?.stop()
    rmSync(folder, { recursive: true })
  })

  function duktig(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const env = { ...process.env, DUKTIG_DATA_DIR: folder, DUKTIG_TIME_ZONE: 'UTC', ...variables }
    const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: folder })
    const said = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })))
  }
  const take = (...options: readonly string[]) =>
    duktig(['import', 'duktig-php', '--from', url(), ...options])

  test('a dry run tells what would be done, without a password, and does nothing', async () => {
    const { code, out, err } = await take('--dry-run', '--time-zone', 'Europe/Berlin')
    assert.equal(code, 0, err)
    assert.match(
      out,
      /^6 accounts in DuktigUsers_\w+; its dates are read as local times of Europe\/Berlin\.$/m,
    )
    const told = [
      ['Super admins', '1'],
      ['plain text', '2'],
      ['Without a password', '4'],
      ['address that is none', '6'],
      ['Without a role', '3'],
      ['Without a status', '3'],
      ['phone number', '6'],
      ['date of registration', '4'],
      ['date of the last update', '4'],
    ] as const
    for (const [what, ids] of told) assert.match(out, new RegExp(`${what}.*: 1\\n  userId ${ids}\\n`))
    assert.match(out, /Dry run: nothing was imported\.\n$/)
    assert.match(err, /6 of 6 accounts read/)
    assert.ok(!`${out}${err}`.includes(PLAIN))
    assert.doesNotMatch((await duktig(['account', 'list'])).out, /person1@/)
  })

  test('a dry run in a folder that has no database makes none', async () => {
    const empty = join(folder, 'empty')
    const dry = ['import', 'duktig-php', '--from', url(), '--dry-run']
    const { code, out, err } = await duktig(dry, { DUKTIG_DATA_DIR: empty })
    assert.equal(code, 0, err)
    assert.match(out, /Dry run: nothing was imported\.\n$/)
    assert.equal(existsSync(empty), false)
  })

  test('where the database is gone, a dry run is refused in the words of the import', async () => {
    const lost = join(folder, 'lost')
    const variables = { DUKTIG_DATA_DIR: lost }
    const made = await duktig(['account', 'create', '--email', 'ani@example.com'], variables)
    assert.equal(made.code, 0, made.err)
    const ended = await duktig(['account', 'end-sessions', 'ani@example.com'], variables)
    assert.equal(ended.code, 0, ended.err)
    for (const name of readdirSync(lost).filter((one) => one.startsWith('duktig.sqlite')))
      rmSync(join(lost, name))
    const left = readdirSync(lost)
    const refused = await duktig(['import', 'duktig-php', '--from', url()], variables)
    const dry = await duktig(['import', 'duktig-php', '--from', url(), '--dry-run'], variables)
    assert.match(
      dry.err,
      /^duktig: the database file .* is missing, and beside it there is the folder journal: /m,
    )
    assert.deepEqual(dry, refused)
    assert.equal(dry.code, 1)
    assert.deepEqual(readdirSync(lost), left)
  })

  test('the import takes all over, once', async () => {
    const first = await take('--time-zone', 'Europe/Berlin')
    assert.equal(first.code, 0, first.err)
    assert.match(first.out, /Imported 6 accounts\.\n$/)
    assert.match(first.err, /1 of 1 plain-text passwords hashed/)
    assert.ok(!`${first.out}${first.err}`.includes(PLAIN))
    const { out } = await duktig(['account', 'list'])
    assert.match(
      out,
      /^1 +person1@example\.com +super-admin +active +2019-07-20 22:09:07 +2019-11-15 10:55:37$/m,
    )
    assert.match(out, /^3 +person3@example\.com +client +not-verified/m)
    const second = await take()
    assert.deepEqual([second.code, second.out], [1, ''])
    assert.match(
      second.err,
      /nothing was imported:\n {2}userId 1 is the id of an account that is here already\n/,
    )
    assert.match(second.err, /cannot be run twice/)
  })

  test('a database that cannot be read is told in one line, without its password', async () => {
    const wrong = new URL(url())
    wrong.password = 'wrong-password'
    const port = new URL(url())
    port.port = '1'
    const elsewhere = new URL(url())
    elsewhere.pathname = 'mysql'
    const cases = [
      [wrong.href, /^duktig: the database of the original cannot be read: Access denied.*\n$/],
      [port.href, /^duktig: the database of the original cannot be read: .*ECONNREFUSED.*\n$/],
      [elsewhere.href, /^duktig: the database of the original cannot be read: .*\n$/],
      ['mysql://host', /^duktig: --from must be mysql:\/\/user:password@host:3306\/DuktigUsers\n$/],
      ['postgres://wrong-password@host/x', /^duktig: --from must be/],
    ] as const
    for (const [from, expected] of cases) {
      const { code, err } = await duktig(['import', 'duktig-php', '--from', from])
      assert.equal(code, 1)
      assert.match(err, expected)
      assert.ok(!err.includes('wrong-password'))
    }
  })

  test('the password may come from the environment instead of the command line', async () => {
    const from = new URL(url())
    const password = decodeURIComponent(from.password)
    from.password = ''
    const dry = ['import', 'duktig-php', '--dry-run', '--from', from.href]
    assert.match((await duktig(dry, { MYSQL_PWD: password })).out, /^6 accounts/)
  })

  test('a time zone that is none is refused before anything is read', async () => {
    const { err } = await take('--time-zone', 'Mars/Olympus')
    assert.match(err, /^duktig: --time-zone must be an IANA time zone/)
  })
})
