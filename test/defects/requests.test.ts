/** Defects of other systems in reading requests, each named after its advisory; docs/defects.md lists them all. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isEmail } from '../../src/core/account-fields.ts'
import { PASSWORD, type Tokens, addAccount, readOwn, signIn, trySignIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, startTestService } from '../support/service.ts'

let service: TestService
let email: string
let tokens: Tokens
before(async () => {
  service = await startTestService(UNLIMITED)
  email = (await addAccount(service)).email
  tokens = await signIn(service, email)
})
after(() => service.stop())

test('Supabase GHSA-3529-5m8x-rpv3: neither Host nor X-Forwarded-Host changes anything of an answer', async () => {
  const hostile = {
    Host: 'evil.example',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Proto': 'https',
    Forwarded: 'host=evil.example;proto=https',
    'X-Original-Url': '/users',
    'X-Rewrite-Url': '/users',
  }
  const { status, body } = await trySignIn(service, email, PASSWORD, hostile)
  assert.equal(status, 200)
  for (const name of ['access_token', 'refresh_token']) {
    const payload = Buffer.from(String(body[name]).split('.')[1] as string, 'base64url').toString()
    assert.equal((JSON.parse(payload) as { iss: string }).iss, 'http://duktig.test')
  }
  for (const path of ['/user', '/openapi.json', '/docs', '/.well-known/jwks.json', '/nothing']) {
    const headers = { 'Access-Token': tokens.accessToken }
    const [plain, forged] = [
      await send(service.address, 'GET', path, headers),
      await send(service.address, 'GET', path, { ...headers, ...hostile }),
    ]
    assert.deepEqual([forged.status, forged.text], [plain.status, plain.text], path)
    assert.equal(JSON.stringify(forged.headers).includes('evil'), false, path)
  }
})

test('better-auth CVE-2025-61928: who acts is known from the credential alone, whatever else the request names', async () => {
  const victim = await addAccount(service)
  const { accountId } = victim
  const named = {
    'X-User-Id': String(accountId),
    'X-Account-Id': String(accountId),
    'User-Id': String(accountId),
  }
  const headers = { 'Access-Token': tokens.accessToken, ...named, Cookie: `userId=${accountId}` }
  const query = `?userId=${accountId}&accountId=${accountId}&user_id=${accountId}`
  const patch = (path: string, body: object) => sendJson(service.address, 'PATCH', path, headers, body)

  assert.equal((await patch(`/user${query}`, { firstName: 'Changed' })).status, 200)
  for (const extra of ['userId', 'accountId', 'email', 'roleId', 'status', 'id', 'sub']) {
    const { status } = await patch('/user', { firstName: 'Again', [extra]: accountId })
    assert.equal(status, 422, extra)
  }
  const own = await sendJson(service.address, 'GET', `/user${query}`, headers)
  assert.deepEqual([own.body['email'], own.body['firstName']], [email, 'Changed'])
  await sendJson(service.address, 'DELETE', `/account/sessions/unknown${query}`, headers)

  const theirs = await readOwn(service, (await signIn(service, victim.email)).accessToken)
  assert.deepEqual([theirs.body['userId'], theirs.body['firstName']], [accountId, 'Ani'])
  const nobody = await sendJson(service.address, 'PATCH', `/user${query}`, named, { firstName: 'Nobody' })
  assert.equal(nobody.status, 401)
})

test('NextAuth GHSA-7rqj-j65f-68wh: an address is judged as it will be compared; other scripts and forms are none', () => {
  for (const address of [
    'ａｎｉ@example.com',
    'ani＠example.com',
    'ani@example．com',
    'ani@ｅxample.com',
    'ani@example.com\u200b',
    'an\u0456@example.com',
    'ani@example.com\u3002',
    'a\u030ani@example.com',
    'ﬁni@example.com',
    'victim@example.com@evil.example',
    '"victim@example.com,a"@evil.example',
  ]) {
    assert.equal(isEmail(address), false, JSON.stringify(address))
  }
})

test('NextAuth GHSA-xmf8-cvqr-rfgj: no Authorization header, however malformed, is a fault', async () => {
  const values = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'Bearer  ',
    'bearer\t',
    'Bearer a b',
    'Bearer ..',
    'Bearer null',
    'Basic',
    'Basic Og==',
    ':',
    '=',
    ',',
    'Bearer,Bearer',
    '%00',
    '\xff\xfe',
    'B'.repeat(8000),
    `Bearer ${'.'.repeat(8000)}`,
  ]
  for (const value of values) {
    for (const [method, path] of [
      ['GET', '/user'],
      ['GET', '/auth/verify'],
      ['DELETE', '/auth/token'],
    ] as const) {
      const { status } = await send(service.address, method, path, { Authorization: value })
      assert.equal(status, 401, `${path}: ${JSON.stringify(value).slice(0, 40)}`)
    }
  }
})
