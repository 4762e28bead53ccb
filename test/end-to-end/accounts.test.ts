/** Commands beside a running service: what they do takes effect at once. */
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { type Checkout, type Serving, copyOfCheckout } from '../support/checkout.ts'
import { claimsOf } from '../support/keys.ts'
import { sendJson } from '../support/raw-http.ts'

const KEY = 'key-of-the-end-to-end-test'
const PASSWORD = 'Correct-Horse-1'

let checkout: Checkout
let service: Serving

before(async () => {
  checkout = copyOfCheckout()
  service = await checkout.serve({ DUKTIG_AUTH_KEY: KEY })
})
after(async () => {
  await service.stop()
  checkout.remove()
})

/** Runs a command that must succeed. Returns its output. */
async function duktig(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await checkout.run(args, { input: `${PASSWORD}\n` })
  assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  return out
}

async function refused(...args: readonly string[]): Promise<string> {
  const { code, err } = await checkout.run(args, { input: `${PASSWORD}\n` })
  assert.equal(code, 1, args.join(' '))
  return err
}

const trySignIn = (email: string, password = PASSWORD) =>
  sendJson(service.address, 'POST', '/auth/token', { 'X-Auth-Key': KEY }, { email, password })

async function signIn(email: string, password = PASSWORD): Promise<{ access: string; refresh: string }> {
  const { status, body } = await trySignIn(email, password)
  assert.equal(status, 200, JSON.stringify(body))
  return { access: String(body['access_token']), refresh: String(body['refresh_token']) }
}

const refresh = (token: string) =>
  sendJson(service.address, 'POST', '/auth/refresh_token', { 'Refresh-Token': token })
const readOwn = (token: string) => sendJson(service.address, 'GET', '/user', { 'Access-Token': token })

function file(name: string, lines: readonly (object | string)[]): string {
  const path = join(checkout.folder, name)
  writeFileSync(
    path,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  )
  return path
}

function hashOf(email: string): string {
  const database = new DatabaseSync(join(checkout.folder, 'data', 'duktig.sqlite'), { readOnly: true })
  const row = database.prepare('select password_hash from accounts where email = ?').get(email)
  database.close()
  return String(row?.['password_hash'])
}

const person = { firstName: 'Ani', lastName: 'Sarkis', phone: '37411223344' }

test('a file of accounts is imported, and they sign in with the passwords they had', async () => {
  const passwordHash = await bcryptHash(PASSWORD, { cost: 4, version: '2y' })
  const path = file('accounts.jsonl', [
    {
      ...person,
      userId: 42,
      email: 'php@example.com',
      passwordHash,
      roleId: 3,
      status: 1,
      dateRegistered: '2019-07-21 00:09:07',
    },
    '',
    { ...person, email: 'plain@example.com', password: PASSWORD, status: 1, comment: 'from a list' },
    { ...person, email: 'boss@example.com', password: PASSWORD, status: 1, roleId: 1 },
  ])
  assert.equal(await duktig('account', 'import', path), 'Imported 3 accounts.\n')
  assert.match(hashOf('php@example.com'), /^\$2y\$04\$/)
  const { access } = await signIn('php@example.com')
  const { body } = await readOwn(access)
  assert.deepEqual([body['userId'], body['dateRegistered']], [42, '2019-07-21 00:09:07'])
  await signIn('plain@example.com')
})

test('a hash of bcrypt is replaced by argon2id at the first sign-in, and the password stays', async () => {
  assert.match(hashOf('php@example.com'), /^\$argon2id\$/)
  await signIn('php@example.com')
  assert.equal((await trySignIn('php@example.com', 'Wrong-Horse-1')).status, 401)
})

test('a file with a bad line is refused whole, with the number of the line and the reason', async () => {
  const path = file('bad.jsonl', [
    { ...person, email: 'good@example.com', password: PASSWORD, status: 1 },
    '',
    { ...person, email: 'nonsense', password: PASSWORD },
    { ...person, email: 'also-bad', password: PASSWORD },
  ])
  const says = await refused('account', 'import', path)
  assert.equal(says, `duktig: ${path}, line 3: email must be a valid address; nothing was imported\n`)
  assert.equal((await trySignIn('good@example.com')).status, 401)
})

test('so is one with an address that is registered already, and one that cannot be read', async () => {
  const path = file('taken.jsonl', [
    { ...person, email: 'new@example.com', password: PASSWORD, status: 1 },
    { ...person, email: 'PHP@example.com', password: PASSWORD },
  ])
  assert.match(
    await refused('account', 'import', path),
    /line 2: .*registered already; nothing was imported\n$/,
  )
  assert.equal((await trySignIn('new@example.com')).status, 401)
  assert.match(
    await refused('account', 'import', join(checkout.folder, 'nowhere')),
    /^duktig: .* cannot be read: /,
  )
})

test('the list shows every account', async () => {
  const [heading = '', ...rows] = (await duktig('account', 'list')).trimEnd().split('\n')
  assert.deepEqual(heading.split(/ {2,}/), ['id', 'e-mail', 'role', 'status', 'registered', 'last sign-in'])
  const shown = rows.map((row) => row.split(/ {2,}/).slice(0, 4))
  assert.deepEqual(shown, [
    ['42', 'php@example.com', 'service-provider', 'active'],
    ['43', 'plain@example.com', 'client', 'active'],
    ['44', 'boss@example.com', 'super-admin', 'active'],
  ])
})

test('a suspended account is out at once, and in again with a new sign-in', async () => {
  const { access, refresh: token } = await signIn('plain@example.com')
  assert.match(
    await duktig('account', 'set-status', 'plain@example.com', 'suspended'),
    /is suspended, client\.\n$/,
  )
  assert.equal((await readOwn(access)).status, 403)
  assert.equal((await refresh(token)).status, 403)
  await duktig('account', 'set-status', '43', 'active')
  assert.equal((await refresh(token)).status, 401)
  await signIn('plain@example.com')
})

test('a new role is in the next access token', async () => {
  const { refresh: token } = await signIn('plain@example.com')
  await duktig('account', 'set-role', 'plain@example.com', 'developer')
  const { status, body } = await refresh(token)
  assert.equal(status, 200)
  assert.equal((claimsOf(String(body['access_token']))['account'] as { roleId: number }).roleId, 5)
})

test('a new password ends the sessions', async () => {
  const { access, refresh: token } = await signIn('php@example.com')
  const { code } = await checkout.run(['account', 'set-password', '42', '--password-stdin'], {
    input: 'Another-Horse-2\n',
  })
  assert.equal(code, 0)
  assert.equal((await readOwn(access)).status, 401)
  const refreshed = await refresh(token)
  assert.deepEqual([refreshed.status, refreshed.headers['x-session-end-reason']], [401, 'password-changed'])
  assert.equal((await trySignIn('php@example.com')).status, 401)
  await signIn('php@example.com', 'Another-Horse-2')
})

test('sessions end everywhere on a word', async () => {
  await duktig('account', 'end-sessions', 'plain@example.com')
  const [one, other] = [await signIn('plain@example.com'), await signIn('plain@example.com')]
  assert.equal(await duktig('account', 'end-sessions', 'plain@example.com'), 'Ended 2 sessions.\n')
  for (const { access, refresh: token } of [one, other]) {
    assert.equal((await readOwn(access)).status, 401)
    assert.equal((await refresh(token)).headers['x-session-end-reason'], 'ended-by-administrator')
  }
})

test('what cannot be done is refused with its reason', async () => {
  assert.match(await refused('account', 'set-status', 'nobody@example.com', 'active'), /there is no account/)
  assert.match(await refused('account', 'set-role', '44', 'client'), /last active super admin/)
  const again = await refused('account', 'create', '--email', 'php@example.com', '--password-stdin')
  assert.match(again, /registered already/)
})

test('doctor finds all well, and says what is not', async () => {
  assert.match(await duktig('doctor'), /Nothing to mend\.\n$/)
  const data = join(checkout.folder, 'data')
  chmodSync(data, 0o755)
  const { code, out } = await checkout.run(['doctor'])
  chmodSync(data, 0o700)
  assert.equal(code, 1)
  assert.match(out, /^mend +others may look into .*chmod 700/m)
})
