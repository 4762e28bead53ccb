/** `duktig doctor`: what it reports, and that it creates nothing. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { DAY_MS, LIMITS } from '../../src/settings/limits.ts'
import { startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { type Operator, newOperator } from '../support/command.ts'
import { freshDatabase } from '../support/postgres.ts'
import { silentLog } from '../support/service.ts'

let operator: Operator
let data: string
beforeEach(() => {
  operator = newOperator()
  data = join(operator.folder, 'data')
})
afterEach(() => operator.remove())

async function doctor(
  variables: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const { code, out, err } = await operator.run(['doctor'], { variables })
  assert.equal(err, '')
  return { code, lines: out.trimEnd().split('\n') }
}

async function duktig(...args: readonly string[]): Promise<void> {
  const { code, err } = await operator.run(args)
  assert.equal(code, 0, err)
}

const nothing = () =>
  `mend       there is nothing in the data folder ${realpathSync(operator.folder)}/data yet: name another one with DUKTIG_DATA_DIR, or fill it by \`duktig serve\``
const NO_ACCOUNT = 'accounts   none yet; `duktig account create` makes the first administrator'
const DISABLED =
  'sign-in    the default application is disabled; `duktig application set default --enable` lets it in again'

test('before the first start there is nothing, and nothing is made', async () => {
  assert.deepEqual(await doctor(), { code: 1, lines: ['settings   good', nothing()] })
  assert.deepEqual(readdirSync(operator.folder), [])
  mkdirSync(data, { mode: 0o700 })
  assert.deepEqual(await doctor(), { code: 1, lines: ['settings   good', nothing()] })
  assert.deepEqual(readdirSync(data), [])
})

test('why nobody can sign in is told: there is no account, or the default application is disabled', async () => {
  const good = [
    'settings   good',
    'store      sqlite, can be written',
    "clock      at most 2 s off the service's time",
    'keys       3, opened with the master secret',
  ]
  await operator.startOnce()
  assert.deepEqual(await doctor(), { code: 0, lines: [...good, NO_ACCOUNT, 'Nothing to mend.'] })
  await duktig('account', 'create', '--email', 'admin@example.com')
  assert.deepEqual(await doctor(), { code: 0, lines: [...good, 'Nothing to mend.'] })
  await duktig('application', 'disable', 'default')
  const nobody = 'mend       all applications are disabled: `duktig application set default --enable`'
  assert.deepEqual(await doctor(), { code: 1, lines: [...good, DISABLED, nobody] })
  await duktig('application', 'create', 'shop')
  assert.deepEqual(await doctor(), { code: 0, lines: [...good, DISABLED, 'Nothing to mend.'] })
  await duktig('application', 'set', 'default', '--enable')
  assert.deepEqual(await doctor(), { code: 0, lines: [...good, 'Nothing to mend.'] })
})

test('a key in the settings that does not open the default application is told', async () => {
  const variables = { DUKTIG_AUTH_KEY: 'the-key-of-a-test-01' }
  const notes = async () => (await doctor(variables)).lines.filter((line) => line.startsWith('sign-in'))
  await operator.startOnce()
  assert.deepEqual(await notes(), [
    'sign-in    DUKTIG_AUTH_KEY does not open the default application; the next start with it makes it the only key',
  ])
  await operator.startOnce(variables)
  assert.deepEqual(await notes(), [])
})

test('an idle limit that signs out clients which refresh in time is told, in the names of whoever changes it', async () => {
  const because =
    'because a client that refreshes only when its access token has ended may find its session over'
  const short = { DUKTIG_SESSION_IDLE_SECONDS: '900', DUKTIG_ACCESS_TOKEN_TTL_SECONDS: '900' }
  const ofSettings = `DUKTIG_SESSION_IDLE_SECONDS (900) should be more than DUKTIG_ACCESS_TOKEN_TTL_SECONDS (900), ${because}`
  const ofOptions = `--idle (60) should be more than --access-token-ttl (900), ${because}`
  const logged: unknown[] = []
  const log = { ...silentLog, warn: (...line: unknown[]) => void logged.push(line) }
  await (await startService(readSettings({ ...operator.variables, ...short }), { log })).stop()
  assert.deepEqual(logged, [[{ event: 'settings' }, ofSettings]])

  const { out } = await operator.run(['application', 'create', 'shop', '--idle', '60'])
  assert.equal(out.split('\n')[1], `Note: ${ofOptions}.`)
  const policies = async () => (await doctor()).lines.filter((line) => line.startsWith('policy'))
  assert.deepEqual(await policies(), [
    `policy     of default: ${ofSettings}`,
    `policy     of shop: ${ofOptions}`,
  ])
  assert.equal((await doctor()).code, 0)

  await operator.startOnce({ ...short, DUKTIG_SESSION_IDLE_SECONDS: '901' })
  const changed = await operator.run(['application', 'set', 'shop', '--idle', '901'])
  assert.equal(changed.out, 'Application shop changed.\n')
  assert.deepEqual(await policies(), [])
})

test('with PostgreSQL the machine’s clock is looked at too', async (t) => {
  const database = await freshDatabase()
  t.after(() => database.drop())
  const variables = { DUKTIG_DATABASE_URL: database.url }
  await operator.startOnce(variables)
  const { code, lines } = await doctor(variables)
  assert.equal(code, 0)
  assert.deepEqual(lines.slice(1, 3), [
    'store      postgres, can be written',
    "clock      at most 2 s off the service's time",
  ])
})

test('a store that cannot be opened is told with its data folder', async () => {
  await operator.startOnce()
  for (const name of ['duktig.sqlite-wal', 'duktig.sqlite-shm']) rmSync(join(data, name), { force: true })
  writeFileSync(join(data, 'duktig.sqlite'), 'This is no database. '.repeat(100))
  const { code, lines } = await doctor()
  assert.equal(code, 1)
  assert.equal(lines.length, 2)
  assert.match(lines[1] ?? '', /^mend {7}the store cannot be opened with the data folder \.\/data: \S/)
})

test('a journal that should be gone for its age is told', async () => {
  await operator.startOnce()
  const folder = join(data, 'journal')
  const [name = ''] = readdirSync(folder)
  const [madeAt = ''] = name.split('-')
  const dated = (atMs: number) => name.replace(madeAt, String(atMs))
  const dueMs = Number(madeAt) - LIMITS.journalKeptMs - DAY_MS
  for (const old of [dated(dueMs), dated(dueMs - 1)])
    writeFileSync(join(folder, old), readFileSync(join(folder, name)))
  const { code, lines } = await doctor()
  assert.equal(code, 1)
  assert.deepEqual(
    lines.filter((line) => line.startsWith('mend')),
    [
      `mend       the journal data/journal/${dated(dueMs - 1)} is too old for any backup and should be gone: remove it, and ` +
        'see to it that the service may remove files in its folder',
    ],
  )
  await operator.startOnce()
  assert.equal((await doctor()).code, 0)
})

test('a journal that cannot be read whole is told, with what comes of it', async () => {
  await operator.startOnce()
  const [name = ''] = readdirSync(join(data, 'journal'))
  appendFileSync(join(data, 'journal', name), 'no entry\n')
  const { code, lines } = await doctor()
  assert.equal(code, 1)
  assert.equal(
    lines.at(-1),
    `mend       the journal data/journal/${name} has an unreadable line: replace it by a good copy if you have one; ` +
      'otherwise restoring any backup ends all sessions, until the journal is removed after 35 days',
  )
})

test('a folder that others may look into is told, with what to do', async () => {
  await operator.startOnce()
  chmodSync(data, 0o755)
  const { code, lines } = await doctor()
  assert.equal(code, 1)
  assert.equal(lines.at(-1), 'mend       others may look into ./data: chmod 700 ./data')
})
