/** The defects of the original program (contract, section 9), each named as in the contract: none may come back. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { changeAccount } from '../../src/usecases/change-account.ts'
import type { AccountEdit } from '../../src/usecases/change-account.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { filesUnder } from '../support/files.ts'
import { PASSWORD, addAccount, readOwn, refresh, signIn, trySignIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

const INACTIVE = 'Due to the status of your account, you are not able to access this resource'

let service: TestService
before(async () => {
  service = await startTestService({ ...UNLIMITED, DUKTIG_REGISTRATION_STATUS: '1' })
})
after(() => service.stop())

let registered = 0
const aRegistration = (over: object = {}) => ({
  firstName: 'Ani',
  lastName: 'Sarkis',
  email: `registered-${++registered}@example.com`,
  password: PASSWORD,
  phone: '37411223344',
  ...over,
})

const register = (body: object) =>
  sendJson(service.address, 'POST', '/user', { 'X-Auth-Key': AUTH_KEY }, body)

/** Changes an account as an administrator or a job does, without going through HTTP. */
async function change(accountId: number, edit: AccountEdit): Promise<void> {
  const { deps, close } = await openBeside(service)
  const by = { accountId: SYSTEM, code: 'Users->patchAccount', message: 'changed' } as const
  const changed = await changeAccount(deps, by, accountId, edit)
  await close()
  assert.ok('accountId' in changed)
}

function hashOf(email: string): string {
  const database = new DatabaseSync(join(service.dataDir, 'duktig.sqlite'), { readOnly: true })
  const row = database.prepare('select password_hash from accounts where email = ?').get(email)
  database.close()
  return String(row?.['password_hash'])
}

describe('1: passwords of registered accounts stored in plain text', () => {
  test('are stored as argon2id, and stand in no file of the data folder', async () => {
    const password = 'Never-In-A-File-7'
    const body = aRegistration({ password })
    assert.equal((await register(body)).status, 200)
    await signIn(service, body.email, password)
    assert.match(hashOf(body.email), /^\$argon2id\$/)
    for (const file of filesUnder(service.dataDir)) {
      assert.equal(readFileSync(file).includes(password), false, file)
    }
  })
})

describe('2: one parser for validation and another for use', () => {
  const form = 'firstName=&lastName=&password=x&phone='
  test('a form is no body, whatever it holds', async () => {
    const { email } = await addAccount(service)
    const { accessToken } = await signIn(service, email)
    const untouched = await readOwn(service, accessToken)
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
    ]) {
      const headers = { 'Access-Token': accessToken, 'X-Auth-Key': AUTH_KEY, 'Content-Type': type }
      assert.equal((await send(service.address, 'PUT', '/user', headers, form)).status, 415)
      assert.equal((await send(service.address, 'POST', '/user', headers, form)).status, 415)
    }
    assert.deepEqual((await readOwn(service, accessToken)).body, untouched.body)
  })
  test('a parameter of the media type does not switch the rules off', async () => {
    const headers = { 'X-Auth-Key': AUTH_KEY, 'Content-Type': 'application/json; charset=utf-8' }
    const wrong = JSON.stringify(aRegistration({ email: 'nonsense', phone: '1' }))
    const { status, text } = await send(service.address, 'POST', '/user', headers, wrong)
    assert.equal(status, 422)
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['email', 'phone'])
    const good = JSON.stringify(aRegistration())
    assert.equal((await send(service.address, 'POST', '/user', headers, good)).status, 200)
  })
  test('of a key given twice the value that is checked is the value that is used', async () => {
    const { email } = aRegistration()
    const body = JSON.stringify(aRegistration({ email })).replace('{', '{"email":"first@example.com",')
    const headers = { 'X-Auth-Key': AUTH_KEY, 'Content-Type': 'application/json' }
    assert.equal((await send(service.address, 'POST', '/user', headers, body)).status, 200)
    assert.equal((await trySignIn(service, 'first@example.com')).status, 401)
    await signIn(service, email)
  })
})

describe('3: suspended, terminated or demoted accounts kept access until the token expired', () => {
  for (const [name, status] of [
    ['suspended', 2],
    ['terminated', 3],
    ['deactivated', 0],
  ] as const) {
    test(`a ${name} account has none, from the next request on`, async () => {
      const { email, accountId } = await addAccount(service)
      const { accessToken, refreshToken } = await signIn(service, email)
      assert.equal((await readOwn(service, accessToken)).status, 200)
      await change(accountId, { status })
      for (const answer of [await readOwn(service, accessToken), await refresh(service, refreshToken)]) {
        assert.deepEqual([answer.status, answer.body['message']], [403, INACTIVE])
      }
      assert.equal((await trySignIn(service, email)).status, 403)
    })
  }
  test('an account that is active again gets none of its old sessions back', async () => {
    const { email, accountId } = await addAccount(service)
    const { accessToken, refreshToken } = await signIn(service, email)
    await change(accountId, { status: 2 })
    await change(accountId, { status: 1 })
    assert.equal((await readOwn(service, accessToken)).status, 401)
    const { status, headers } = await refresh(service, refreshToken)
    assert.deepEqual([status, headers['x-session-end-reason']], [401, 'suspended'])
    await signIn(service, email)
  })
  test('a demoted account may at once no longer do what its old role might', async () => {
    await addAccount(service, { roleId: 1 })
    const { email, accountId } = await addAccount(service, { roleId: 1 })
    const { accessToken } = await signIn(service, email)
    const list = () =>
      send(service.address, 'GET', '/users?offset=0&limit=1', { 'Access-Token': accessToken })
    assert.equal((await list()).status, 200)
    await change(accountId, { roleId: 4 })
    assert.equal((await list()).status, 403)
  })
})

describe('4: refresh tokens that could not be revoked and survived a password change', () => {
  test('a new password ends them, and the access tokens with them', async () => {
    const { email, accountId } = await addAccount(service)
    const tokens = await signIn(service, email)
    await change(accountId, { password: 'Another-Horse-2' })
    const refreshed = await refresh(service, tokens.refreshToken)
    assert.equal(refreshed.status, 401)
    assert.equal(refreshed.headers['x-session-end-reason'], 'password-changed')
    assert.equal((await readOwn(service, tokens.accessToken)).status, 401)
    assert.equal((await trySignIn(service, email)).status, 401)
    await signIn(service, email, 'Another-Horse-2')
  })
  test('the present password once more ends nothing', async () => {
    const { email, accountId } = await addAccount(service)
    const tokens = await signIn(service, email)
    await change(accountId, { password: PASSWORD })
    assert.equal((await refresh(service, tokens.refreshToken)).status, 200)
  })
  test('the end of all sessions ends them', async () => {
    const { email, accountId } = await addAccount(service)
    const [one, other] = [await signIn(service, email), await signIn(service, email)]
    const { deps, close } = await openBeside(service)
    assert.equal((await deps.store.endSessions(accountId, 'ended-by-administrator')).length, 2)
    await close()
    for (const { accessToken, refreshToken } of [one, other]) {
      assert.equal((await refresh(service, refreshToken)).status, 401)
      assert.equal((await readOwn(service, accessToken)).status, 401)
    }
  })
})

describe('5: algorithm taken from the token', () => {
  test('the header of a token is one of ours, letter for letter, or the token is none', async () => {
    const { accessToken } = await signIn(service, (await addAccount(service)).email)
    const [header = '', payload, signature] = accessToken.split('.')
    const facts = JSON.parse(Buffer.from(header, 'base64url').toString()) as object
    for (const alg of ['none', 'HS384', 'HS512', 'RS256', 'hs256', '']) {
      const other = Buffer.from(JSON.stringify({ ...facts, alg })).toString('base64url')
      for (const token of [`${other}.${payload}.${signature}`, `${other}.${payload}.`]) {
        const { status, body } = await readOwn(service, token)
        assert.deepEqual([status, body['message']], [401, 'Invalid token'])
      }
    }
  })
})

describe('6: 500s without any credential', () => {
  const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const headers: readonly unknown[] = [{ alg: ['HS256'] }, { alg: {} }, { alg: 1 }, [], null, 'x', 7, {}]
  const payloads: readonly unknown[] = [
    { exp: 1e300 },
    { exp: '1e300' },
    { exp: null },
    { sub: [] },
    [],
    null,
    0,
  ]
  test('no token, however malformed, is a fault', async () => {
    for (const header of headers) {
      for (const payload of payloads) {
        const token = `${segment(header)}.${segment(payload)}.${segment('signature')}`
        for (const { status, body } of [await readOwn(service, token), await refresh(service, token)]) {
          assert.deepEqual([status, body['message']], [401, 'Invalid token'])
        }
      }
    }
  })
})

describe('7: base64 leniency, so one token had many spellings', () => {
  test('padding, the plain alphabet, spaces and stray bits make another text, which is no token', async () => {
    const { refreshToken } = await signIn(service, (await addAccount(service)).email)
    const last = refreshToken.at(-1) as string
    const next = String.fromCharCode(last.charCodeAt(0) + 1)
    const spellings = [
      `${refreshToken}=`,
      `${refreshToken}==`,
      refreshToken.replace('.', '=.'),
      `${refreshToken.slice(0, 9)} ${refreshToken.slice(9)}`,
      refreshToken.slice(0, -1) + next,
      `${refreshToken}.`,
    ]
    for (const token of spellings) assert.equal((await refresh(service, token)).status, 401, token)
    assert.equal((await refresh(service, refreshToken)).status, 200)
  })
})
