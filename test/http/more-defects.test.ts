/** The defects of the original program (contract, section 9), from the eighth on. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Composed } from '../../src/compose.ts'
import { isKnownHash } from '../../src/passwords/passwords.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { signIn as signInCase } from '../../src/usecases/sign-in.ts'
import { PASSWORD, addAccount, refresh, signIn, trySignIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

let service: TestService
let beside: Composed & { close(): Promise<void> }
before(async () => {
  service = await startTestService({ ...UNLIMITED, DUKTIG_REGISTRATION_STATUS: '1' })
  beside = await openBeside(service)
})
after(async () => {
  await beside.close()
  await service.stop()
})

/** The real dependencies, with a list of the jobs given to the password queue. */
function counted(): { deps: Deps; work: string[] } {
  const { passwords } = beside.deps
  const work: string[] = []
  const counting: Deps['passwords'] = {
    ...passwords,
    hash(password) {
      work.push('hash')
      return passwords.hash(password)
    },
    verify(hash, password, place) {
      // Checking what is not a hash costs no work.
      work.push(isKnownHash(hash) ? 'verify' : 'nothing')
      return passwords.verify(hash, password, place)
    },
  }
  return { deps: { ...beside.deps, passwords: counting }, work }
}

async function attempt(email: string, password: string) {
  const { deps, work } = counted()
  const application = await deps.store.findApplication(1)
  assert.ok(application)
  const device = { address: '127.0.0.1', userAgent: null, deviceId: null }
  const outcome = await signInCase(deps, { application, email, password, device, deviceToken: '' })
  return { outcome, work }
}

describe('8: a timing difference that told registered addresses', () => {
  test('an unknown e-mail address does the work of a wrong password', async () => {
    const { email } = await addAccount(service)
    const wrong = await attempt(email, 'Wrong-Horse-1')
    const unknown = await attempt('nobody@example.com', 'Wrong-Horse-1')
    assert.deepEqual(unknown.outcome, wrong.outcome)
    assert.deepEqual(unknown.work, wrong.work)
    assert.deepEqual(unknown.work, ['verify'])
  })
  test('the two are answered alike, header by header', async () => {
    const { email } = await addAccount(service)
    const answers = [
      await trySignIn(service, email, 'Wrong-Horse-1'),
      await trySignIn(service, 'nobody@example.com'),
    ]
    const [wrong, unknown] = answers.map(({ headers, ...rest }) => ({
      ...rest,
      headers: { ...headers, date: '' },
    }))
    assert.deepEqual(unknown, wrong)
    assert.deepEqual([unknown?.status, unknown?.body['message']], [401, 'Incorrect credentials'])
  })
  test('what is wrong with an account is told only after the right password', async () => {
    const { email } = await addAccount(service, { status: 2 })
    assert.equal((await trySignIn(service, email, 'Wrong-Horse-1')).status, 401)
    assert.equal((await trySignIn(service, email)).status, 403)
  })
})

describe('10: a hash on each refresh', () => {
  test('refreshing hashes nothing', async () => {
    const { refreshToken } = await signIn(service, (await addAccount(service)).email)
    const { deps, work } = counted()
    const request = { refreshToken, attemptKey: null, application: null, address: '127.0.0.1' }
    const outcome = await refreshSession(deps, request)
    assert.ok('accessToken' in outcome)
    assert.deepEqual(work, [])
  })
})

describe('11: maintenance mode that blocked nothing', () => {
  test('it blocks signing in and refreshing', async () => {
    const closed = await startTestService({ ...UNLIMITED, DUKTIG_MAINTENANCE: 'on' })
    assert.equal((await trySignIn(closed, 'nobody@example.com')).status, 503)
    assert.equal((await refresh(closed, 'x')).status, 503)
    await closed.stop()
  })
})

const person = { firstName: 'Ani', lastName: 'Sarkis', phone: '37411223344', password: PASSWORD }
const register = (body: object) =>
  sendJson(service.address, 'POST', '/user', { 'X-Auth-Key': AUTH_KEY }, body)

describe('12: default role super admin; NULL roles through PATCH', () => {
  test('a registered account is a client', async () => {
    const email = 'client@example.com'
    assert.equal((await register({ ...person, email })).status, 200)
    assert.equal((await beside.deps.store.findAccountByEmail(email))?.roleId, 4)
  })
  test('and cannot choose: role and status are no keys of a registration', async () => {
    const email = 'chosen@example.com'
    for (const extra of [{ roleId: 1 }, { status: 1 }, { userId: 1 }]) {
      assert.equal((await register({ ...person, email, ...extra })).status, 422)
    }
    assert.equal(await beside.deps.store.findAccountByEmail(email), null)
  })
  test('it is not verified unless the settings say otherwise', async () => {
    const strict = await startTestService(UNLIMITED)
    const headers = { 'X-Auth-Key': AUTH_KEY }
    const email = 'strict@example.com'
    assert.equal((await sendJson(strict.address, 'POST', '/user', headers, { ...person, email })).status, 200)
    assert.equal((await trySignIn(strict, email)).status, 403)
    await strict.stop()
  })
})

describe('administration', () => {
  let admin: Record<string, string>
  let adminId: number
  const patch = (id: number, body: object) => sendJson(service.address, 'PATCH', `/users/${id}`, admin, body)
  before(async () => {
    const account = await addAccount(service, { roleId: 1 })
    adminId = account.accountId
    admin = { 'Access-Token': (await signIn(service, account.email)).accessToken }
  })

  test('12: a role is never set to null', async () => {
    const { accountId } = await addAccount(service)
    assert.equal((await patch(accountId, { roleId: null })).status, 422)
    assert.equal((await patch(accountId, { roleId: null, firstName: 'Anna' })).status, 200)
    assert.equal((await beside.deps.store.findAccount(accountId))?.roleId, 4)
  })
  test('13: the last super admin cannot demote, suspend or terminate himself away', async () => {
    for (const body of [{ roleId: 2 }, { status: 2 }, { status: 0 }]) {
      assert.equal((await patch(adminId, body)).status, 422, JSON.stringify(body))
    }
    assert.equal((await send(service.address, 'DELETE', `/users/${adminId}`, admin)).status, 422)
    assert.equal((await send(service.address, 'GET', '/users?offset=0&limit=1', admin)).status, 200)
  })
  test('16: a list has its cap and its order', async () => {
    const passwordHash = await beside.deps.passwords.hash(PASSWORD)
    const dates = { registeredAtMs: null, updatedAtMs: null, lastSignInAtMs: null }
    const { password: _, ...facts } = person
    const many = Array.from({ length: LIMITS.accountsListed + 5 }, (_unused, i) => ({
      ...facts,
      ...dates,
      passwordHash,
      comment: null,
      roleId: 4 as const,
      status: 0 as const,
      email: `many-${i}@example.com`,
      // The ids are not in order.
      accountId: 10_000 + ((i * 7919) % 100_003),
    }))
    assert.equal((await beside.deps.store.importAccounts(many)).kind, 'imported')
    const { status, text } = await send(service.address, 'GET', '/users?offset=0&limit=100000', admin)
    assert.equal(status, 200)
    const ids = (JSON.parse(text) as { userId: number }[]).map(({ userId }) => userId)
    assert.equal(ids.length, LIMITS.accountsListed)
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    )
    assert.equal((await send(service.address, 'GET', '/users', admin)).status, 422)
  })
})

describe('14: passwords cut at 72 bytes', () => {
  test('the first 72 bytes of a longer password open nothing', async () => {
    const password = 'Aa1-'.repeat(25)
    const { email } = await addAccount(service, { password })
    for (const wrong of [
      password.slice(0, 72),
      password.slice(0, 73),
      `${password.slice(0, 72)}${'x'.repeat(28)}`,
    ]) {
      assert.equal((await trySignIn(service, email, wrong)).status, 401)
    }
    assert.equal((await trySignIn(service, email, password)).status, 200)
  })
})

describe('15: values that pass validation but break the schema', () => {
  const full = {
    firstName: '😀'.repeat(15),
    lastName: 'Ա'.repeat(20),
    phone: '+'.repeat(20),
    password: `${'é'.repeat(127)}a1`,
    email: `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
  }
  test('the longest of everything is stored and comes back whole', async () => {
    assert.equal(full.email.length, 254)
    assert.equal((await register(full)).status, 200)
    const { accessToken } = await signIn(service, full.email, full.password)
    const { body } = await sendJson(service.address, 'GET', '/user', { 'Access-Token': accessToken })
    const { firstName, lastName, phone, email } = body
    const { password: _, ...expected } = full
    assert.deepEqual({ firstName, lastName, phone, email }, expected)
  })
  for (const [name, value] of [
    ['a NUL', 'An\0i'],
    ['half of a surrogate pair', 'An\ud83d'],
    ['the other half', '\ude00An'],
  ] as const) {
    test(`${name} is refused by the rules, in every field`, async () => {
      for (const field of ['firstName', 'lastName', 'phone', 'password']) {
        const email = 'broken@example.com'
        const { status, body } = await register({ ...person, email, [field]: `${value}-long-1` })
        assert.deepEqual([status, Object.keys(body)], [422, [field]])
      }
    })
  }
  test('an e-mail address is taken in whatever case it is written', async () => {
    const email = 'Taken@Example.com'
    assert.equal((await register({ ...person, email })).status, 200)
    const { status, body } = await register({ ...person, email: email.toUpperCase() })
    assert.deepEqual([status, body], [422, { email: ['Email address is already registered'] }])
    await signIn(service, 'tAKEN@eXAMPLE.COM')
  })
})
