/** `duktig audit`, run as an operator runs it, beside a service. */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Account } from '../../src/core/account.ts'
import { addAccount, signIn, trySignIn } from '../support/people.ts'
import { type TestService, UNLIMITED, startTestService } from '../support/service.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let service: TestService
let account: Account

before(async () => {
  service = await startTestService(UNLIMITED)
  account = await addAccount(service)
})
after(() => service.stop())

function start(...args: string[]): ChildProcessByStdio<null, Readable, null> {
  // In the data folder, so that the command does not read the `.env` of a checkout.
  const env = { PATH: process.env['PATH'], ...service.variables }
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  return spawn(process.execPath, [MAIN, 'audit', ...args], { cwd: service.dataDir, env, stdio: [...stdio] })
}

/** Runs the command, which must succeed. Returns the lines that it prints below the headings. */
async function audit(...args: string[]): Promise<string[]> {
  const child = start(...args)
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
  const [headings, ...lines] = out.split('\n').filter((line) => line !== '')
  assert.match(headings ?? '', HEADINGS)
  return lines
}

/** Waits until the service has written all actions up to now: it writes them before it answers a listing. */
async function settled(): Promise<void> {
  const admin = await addAccount(service, { roleId: 1 })
  const { accessToken } = await signIn(service, admin.email)
  const query = 'offset=0&limit=1&dateFrom=0&dateTo=1'
  const path = `/users/${admin.accountId}/actions?${query}`
  await fetch(service.address + path, { headers: { 'Access-Token': accessToken } })
}

const HEADINGS = /^time +who +action +address +session +what happened$/

const codeOf = (line: string) => line.split(/ {2,}/)[2]

test('prints the last actions, oldest first, with time, actor, code, address, session and message', async () => {
  await signIn(service, account.email)
  await trySignIn(service, account.email, 'Wrong-Horse-1')
  await settled()
  // Another recorder writes the registrations, so their place among the other actions varies.
  const lines = (await audit()).filter((line) => codeOf(line) !== 'Users->registerAccount')
  assert.deepEqual(lines.slice(0, 2).map(codeOf), ['Auth->Authorize', 'Auth->Refused'])
  assert.match(
    lines[1] ?? '',
    /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} {2}guest +Auth->Refused +127\.0\.0\.1 +- +Incorrect credentials$/,
  )
  assert.equal((await audit('--limit', '2')).length, 2)
})

test('prints those of one account, of guests or of the system', async () => {
  const own = [account.email, String(account.accountId)]
  for (const who of own) assert.deepEqual((await audit('--account', who)).map(codeOf), ['Auth->Authorize'])
  assert.deepEqual((await audit('--account', 'guest')).map(codeOf), ['Auth->Refused'])
  const system = await audit('--account', 'system')
  assert.deepEqual(new Set(system.map(codeOf)), new Set(['Users->registerAccount']))
})

test('follows what is done from now on, each once, until it is interrupted', async () => {
  const child = start('--follow', '--account', account.email)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  assert.match((await lines.next()).value as string, HEADINGS)
  const next = async () => codeOf((await lines.next()).value as string)
  assert.equal(await next(), 'Auth->Authorize')
  await signIn(service, account.email)
  assert.equal(await next(), 'Auth->Authorize')
  await trySignIn(service, 'nobody@example.com')
  await signIn(service, account.email)
  assert.equal(await next(), 'Auth->Authorize')
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
})
