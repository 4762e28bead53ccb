/**
 * Moves over from the PHP original as an operator does: a MariaDB with thousands of accounts in the state the original
 * leaves them, a dry run, the import, the service. Then people sign in with the passwords they had, and clients go on
 * with the refresh tokens they had. Done once with SQLite and once with PostgreSQL.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LEGACY_VARIABLES, legacyToken, phpHash } from '../../test/support/legacy.ts'
import {
  type UserRow,
  legacyDatabase,
  mariadbMissing,
  startMariadb,
  userRow,
} from '../../test/support/mariadb.ts'
import { freshDatabase } from '../../test/support/postgres.ts'
import { sendJson } from '../../test/support/raw-http.ts'

const LEFT_OUT = 3
const PEOPLE = 20_000
/** One in this many accounts had its password in plain text. */
const PLAIN_EVERY = 50
const PHP_COST = 10
const AUTH_KEY = 'prove-application-key-0001'
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const LONG_ADDRESS = `${'a'.repeat(60)}@${'b'.repeat(35)}.com`
const OLD_PASSWORD = 'Old-Secret-Ü1'

type Variables = Readonly<Record<string, string>>

const say = (text: string) => process.stdout.write(`${text}\n`)

/** Installs Debian's MariaDB if there is none and this process may. Returns why there is still none, or null. */
function ensureMariadb(): string | null {
  const missing = mariadbMissing()
  if (missing === null) return null
  const canInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0
  if (!canInstall) return `${missing}, and only root on Debian could install it`
  say('installing mariadb-server')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', 'mariadb-server'],
  ]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' })
    if (status !== 0) return `apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`
  }
  return mariadbMissing()
}

async function people(): Promise<readonly UserRow[]> {
  const oldHash = await phpHash(OLD_PASSWORD, PHP_COST)
  const odd: Record<number, UserRow> = {
    1: { roleId: 1, email: 'Admin@Example.com', password: await phpHash('Admin-Secret-1', PHP_COST) },
    2: { password: 'Plain-Secret-2', firstName: 'Zoë', lastName: 'O’Brien-Ճամփորդ', comment: '🚲 <b>' },
    3: { roleId: null, status: null },
    4: { dateRegistered: '0000-00-00 00:00:00', dateLastUpdate: '2019-02-31 00:00:00' },
    5: { email: LONG_ADDRESS },
    6: { status: 2 },
    7: { status: 3 },
    8: { firstName: 'J', lastName: null, phone: '', comment: '' },
    9: { password: '' },
  }
  return Array.from({ length: PEOPLE }, (_, i) => {
    const userId = i + 1
    const password = userId % PLAIN_EVERY === 0 ? `Plain-Secret-${userId}` : oldHash
    return userRow(userId, { password, ...odd[userId] })
  })
}

async function duktig(variables: Variables, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...variables } })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => process.stdout.write(`   ${chunk.toString().trimEnd()}\n`))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, `duktig ${args[0]} failed`)
  return out
}

interface Running {
  readonly base: string
  stop(): Promise<void>
}

async function serve(variables: Variables): Promise<Running> {
  const service: ChildProcess = spawn(process.execPath, [MAIN, 'serve'], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  const base = await new Promise<string>((resolve, reject) => {
    service.once('exit', () => reject(new Error(`the service did not start: ${out}`)))
    service.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const address = /Duktig listens on (\S+)/.exec(out)?.[1]
      if (address !== undefined) resolve(address)
    })
  })
  return {
    base,
    async stop() {
      const ended = once(service, 'exit')
      service.kill('SIGTERM')
      await ended
    },
  }
}

const signIn = (base: string, email: string, password: string) =>
  sendJson(base, 'POST', '/auth/token', { 'X-Auth-Key': AUTH_KEY }, { email, password })
const refresh = (base: string, token: string) =>
  sendJson(base, 'POST', '/auth/refresh_token', { 'X-Refresh-Token': token })

async function signInAsBefore(base: string): Promise<string> {
  const cases = [
    ['admin@example.com', 'Admin-Secret-1', 200],
    ['person2@example.com', 'Plain-Secret-2', 200],
    ['person2@example.com', 'Plain-Secret-3', 401],
    [LONG_ADDRESS, OLD_PASSWORD, 200],
    ['PERSON4@example.com', OLD_PASSWORD, 200],
    [`person${PLAIN_EVERY}@example.com`, `Plain-Secret-${PLAIN_EVERY}`, 200],
    ['person3@example.com', OLD_PASSWORD, 403],
    ['person6@example.com', OLD_PASSWORD, 403],
    ['person7@example.com', OLD_PASSWORD, 403],
    ['person11@example.com', OLD_PASSWORD, 200],
    // By the second sign-in, the hash has become one of ours.
    ['person11@example.com', OLD_PASSWORD, 200],
    ['person11@example.com', 'Wrong-Secret-1', 401],
  ] as const
  for (const [email, password, status] of cases) {
    assert.equal((await signIn(base, email, password)).status, status, `${email} with ${password}`)
  }
  const { body } = await signIn(base, 'admin@example.com', 'Admin-Secret-1')
  return String(body['access_token'])
}

/** Compares every account, as the administrator sees it now, with the row it came from. */
async function compareAll(base: string, rows: readonly UserRow[], accessToken: string): Promise<void> {
  const signedIn = new Set([1, 2, 4, 5, 11, PLAIN_EVERY])
  const changed: Record<number, UserRow> = {
    3: { roleId: 4, status: 0 },
    4: { dateLastUpdate: null },
    8: { lastName: '' },
  }
  let compared = 0
  for (let offset = 0; offset < rows.length; offset += 1000) {
    const path = `/users?offset=${offset}&limit=1000`
    const { body } = await sendJson(base, 'GET', path, { 'Access-Token': accessToken })
    for (const account of body as unknown as readonly UserRow[]) {
      const userId = Number(account['userId'])
      const { password: _, ...row } = rows[userId - 1] ?? assert.fail()
      const expected: Record<string, unknown> = { ...row, ...changed[userId] }
      if (signedIn.has(userId)) expected['dateLastLogin'] = account['dateLastLogin']
      if (userId === 4) expected['dateRegistered'] = account['dateRegistered']
      assert.deepEqual(account, Object.fromEntries(Object.keys(account).map((key) => [key, expected[key]])))
      compared += 1
    }
  }
  assert.equal(compared, rows.length)
}

async function goOnWithOldTokens(variables: Variables, service: Running): Promise<Running> {
  const tokenOf = (userId: number, email = `person${userId}@example.com`) => legacyToken({ userId, email })
  const tokens = await Promise.all(Array.from({ length: 200 }, (_, i) => tokenOf(1001 + i)))
  const startedMs = performance.now()
  for (const token of tokens) assert.equal((await refresh(service.base, token)).status, 200)
  const firstMs = performance.now() - startedMs
  const crowd = await tokenOf(2000)
  const answers = await Promise.all(Array.from({ length: 40 }, () => refresh(service.base, crowd)))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  await service.stop()
  const restarted = await serve(variables)
  const againMs = performance.now()
  for (const token of tokens) {
    const { status, body } = await refresh(restarted.base, token)
    assert.deepEqual([status, 'refresh_token' in body], [200, false])
  }
  const laterMs = performance.now() - againMs
  say(`   first uses ${(firstMs / 200).toFixed(1)} ms each, later ones ${(laterMs / 200).toFixed(1)} ms`)
  const [used, unused] = [await tokenOf(3001), await tokenOf(3001)]
  assert.equal((await refresh(restarted.base, used)).status, 200)
  await duktig(variables, ['account', 'end-sessions', '3001'])
  for (const token of [used, unused]) assert.equal((await refresh(restarted.base, token)).status, 401)
  assert.equal((await refresh(restarted.base, await tokenOf(6))).status, 403)
  assert.equal((await refresh(restarted.base, await tokenOf(1, 'admin@example.com'))).status, 200)
  return restarted
}

async function moveOver(
  engine: string,
  from: string,
  rows: readonly UserRow[],
  more: Variables,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-prove-'))
  const variables = {
    DUKTIG_DATA_DIR: folder,
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
    DUKTIG_ISSUER: 'http://duktig.test',
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_TIME_ZONE: 'Europe/Berlin',
    DUKTIG_RATE_LIMITS: 'off',
    DUKTIG_LOG_LEVEL: 'error',
    ...LEGACY_VARIABLES,
    ...more,
  }
  let service: Running | null = null
  try {
    const take = ['import', 'duktig-php', '--from', from]
    say(`-- ${engine}: dry run`)
    assert.match(await duktig(variables, [...take, '--dry-run']), /Dry run: nothing was imported/)
    say(`-- ${engine}: import`)
    const startedMs = performance.now()
    const told = await duktig(variables, take)
    assert.match(told, new RegExp(`Imported ${PEOPLE} accounts`))
    assert.doesNotMatch(told, /Plain-Secret/)
    say(`   ${PEOPLE} accounts in ${Math.round((performance.now() - startedMs) / 1000)} s`)
    service = await serve(variables)
    say(`-- ${engine}: old and plain passwords`)
    const accessToken = await signInAsBefore(service.base)
    say(`-- ${engine}: every account against its row`)
    await compareAll(service.base, rows, accessToken)
    say(`-- ${engine}: refresh tokens of the original`)
    service = await goOnWithOldTokens(variables, service)
  } finally {
    await service?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const missing = ensureMariadb()
if (missing === null) {
  say(`-- a MariaDB with ${PEOPLE} accounts`)
  const server = await startMariadb()
  const rows = await people()
  const database = await legacyDatabase(server.url, rows)
  try {
    await moveOver('SQLite', database.url, rows, {})
    const postgres = await freshDatabase()
    try {
      await moveOver('PostgreSQL', database.url, rows, { DUKTIG_DATABASE_URL: postgres.url })
    } finally {
      await postgres.drop()
    }
  } finally {
    await database.drop()
    await server.stop()
  }
  say('Everybody came over, and nobody had to sign in again.')
} else {
  say(`left out: ${missing}`)
  process.exitCode = LEFT_OUT
}
