/** Defect 9 of section 9 of the contract, secrets in the repository; and no secrets in log, answers or store. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Log } from '../../src/operations/log.ts'
import { filesUnder } from '../support/files.ts'
import { PASSWORD, addAccount, readOwn, refresh, signIn, trySignIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

const lines: string[] = []
const write = (...line: readonly unknown[]) => {
  lines.push(JSON.stringify(line))
}
const log: Log = { debug: write, info: write, warn: write, error: write }

const MASTER = 'a-master-secret-of-32-characters'
const ATTEMPT_KEY = 'attempt-key-of-this-client-0001'
/** Everything that only its owner may see. */
const secrets: string[] = [PASSWORD, 'Wrong-Horse-1', 'New-Horse-22', AUTH_KEY, MASTER, ATTEMPT_KEY]
/** Tokens appear nowhere but in the answer that hands them out. */
const tokens: string[] = []

let service: TestService

before(async () => {
  service = await startTestService(
    { ...UNLIMITED, DUKTIG_SECRET: MASTER, DUKTIG_REFRESH_ROTATION: 'on' },
    log,
  )
  await aFullRound()
})
after(() => service.stop())

async function aFullRound(): Promise<void> {
  const { email } = await addAccount(service)
  await trySignIn(service, email, 'Wrong-Horse-1')
  await trySignIn(service, 'Wrong-Horse-1')
  const signedIn = await signIn(service, email)
  const again = await signIn(service, email)
  tokens.push(signedIn.accessToken, signedIn.refreshToken, again.accessToken, again.refreshToken)
  const { body } = await refresh(service, signedIn.refreshToken, { 'Idempotency-Key': ATTEMPT_KEY })
  tokens.push(String(body['access_token']))
  await refresh(service, `${signedIn.refreshToken}x`, { 'X-Auth-Key': AUTH_KEY })
  await readOwn(service, signedIn.accessToken)
  await readOwn(service, `${signedIn.accessToken}x`)
  await send(service.address, 'GET', `/${signedIn.accessToken}`)
  const own = { 'Access-Token': signedIn.accessToken }
  await sendJson(service.address, 'PATCH', '/user', own, { password: 'New-Horse-22' })
  await sendJson(service.address, 'PATCH', '/user', own, { password: 'short' })
  await refresh(service, again.refreshToken)
  const { deps, close } = await openBeside(service)
  const account = await deps.store.findAccountByEmail(email)
  secrets.push(account?.passwordHash ?? '')
  for (const purpose of ['access', 'refresh', 'device'] as const) {
    const secret = deps.keys.signer(purpose).sharedSecret()
    assert.ok(secret)
    secrets.push(secret.toString('base64url'), secret.toString('base64'), secret.toString('hex'))
  }
  await close()
  await send(service.address, 'DELETE', '/auth/token', own)
}

test('the log says what happened', () => {
  const text = lines.join('\n')
  for (const event of ['Auth->Authorize', 'Auth->Refused', 'User->patchAccount', 'Auth->SessionEnded']) {
    assert.ok(text.includes(event), event)
  }
})

test('no line of the log holds a password, a hash, a token or a key', () => {
  for (const line of lines) {
    for (const secret of [...secrets, ...tokens]) assert.equal(line.includes(secret), false, line)
    // Nor a token's signature, with which somebody could complete the token.
    for (const token of tokens) assert.equal(line.includes(token.split('.')[2] as string), false, line)
  }
})

test('no file of the data folder holds one, but for the hashes that it is there to hold', () => {
  const files = filesUnder(service.dataDir).map((file) => readFileSync(file))
  assert.ok(files.some((file) => file.length > 10_000))
  for (const secret of [...secrets, ...tokens].filter((text) => !text.startsWith('$argon2id$'))) {
    assert.equal(
      files.some((file) => file.includes(secret)),
      false,
      secret,
    )
  }
})

test('the metrics name no account and no session', async () => {
  const { text } = await send(service.metricsAddress, 'GET', '/metrics')
  assert.ok(text.includes('duktig_actions_total'))
  assert.equal(text.includes('@example.com'), false)
  for (const secret of [...secrets, ...tokens]) assert.equal(text.includes(secret), false)
})

test('the repository holds no private key and no key of an application', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const folders = ['.ci', 'bench', 'bin', 'contract', 'docs', 'scripts', 'src', 'test']
  const named = folders.map((name) => join(root, name)).filter((folder) => existsSync(folder))
  const files = [...named.flatMap(filesUnder), ...globSync(join(root, '*.{json,md}'))].filter(
    (file) => !file.includes('node_modules'),
  )
  assert.ok(files.length > 100)
  const secret =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]|duktig_(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{43}\b/
  assert.deepEqual(
    files.filter((file) => secret.test(readFileSync(file, 'latin1'))),
    [],
  )
})
