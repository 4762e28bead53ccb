/** Defences against guessing, on the real store with a clock that the test sets. Hashes are counted, not computed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compose } from '../../src/compose.ts'
import { STATUS } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { ensureDefaultApplication } from '../../src/default-application.ts'
import { isDenial } from '../../src/core/denial.ts'
import { REGISTRATION_BUCKET, SIGN_IN_BUCKET } from '../../src/core/guessing.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { createPasswords } from '../../src/passwords/passwords.ts'
import { Overloaded } from '../../src/passwords/work-queue.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { changeAccount } from '../../src/usecases/change-account.ts'
import { registerAccount } from '../../src/usecases/register-account.ts'
import { signIn } from '../../src/usecases/sign-in.ts'
import { aPerson } from '../support/people.ts'
import { AUTH_KEY, silentLog } from '../support/service.ts'

const EMAIL = 'owner@example.com'
const PASSWORD = 'right1password'
const HOME = '203.0.113.7'
const SHARED = '203.0.113.200'
/** Guesses at the same time, none of which the queue may refuse. */
const MANY = 500

let folder: string
let deps: Deps
/** Has the bounded queue that a service has. */
let bounded: Deps
/** Also has the real hashes. */
let real: Deps
let application: Application
let nowMs = Date.UTC(2026, 0, 1)
let checked = 0
let close: () => Promise<void>

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duktig-guessing-'))
  const settings = readSettings({ DUKTIG_DATA_DIR: folder, DUKTIG_AUTH_KEY: AUTH_KEY })
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), { nowMs: () => nowMs })
  await ensureDefaultApplication(settings, store)
  const composed = await compose(settings, store, silentLog)
  // The tests count how many guesses reach the hash; computing the hashes would take an hour.
  const passwords = {
    ...composed.deps.passwords,
    hash: async (password: string) => `plain:${password}`,
    verify: async (hash: string, password: string) => {
      checked++
      return hash === `plain:${password}`
    },
  }
  real = composed.deps
  bounded = { ...real, passwords }
  const queue = createPasswords(MANY).queue
  deps = { ...composed.deps, passwords: { ...passwords, queue } }
  close = () => store.close()
  application = (await store.findApplication(1)) as Application
})

after(async () => {
  await close()
  rmSync(folder, { recursive: true })
})

async function newAccount(email: string): Promise<number> {
  const account = await deps.store.createAccount({ ...aPerson(), email, passwordHash: `plain:${PASSWORD}` })
  assert.ok(typeof account === 'object')
  return account.accountId
}

function newcomer(email: string, address = HOME) {
  return { firstName: 'New', lastName: 'Comer', email, password: PASSWORD, phone: '000000', address }
}

function requestOf(email: string, password = PASSWORD, address = HOME, deviceToken = '') {
  const device = { address, userAgent: null, deviceId: null }
  return { application, email, password, device, deviceToken }
}

function attempt(email: string, password: string, address: string, deviceToken = '') {
  return signIn(deps, requestOf(email, password, address, deviceToken))
}

test('of 100,000 guesses from 10,000 addresses at most 100 reach the hash, and the owner still gets in', async () => {
  await newAccount(EMAIL)
  const first = await attempt(EMAIL, PASSWORD, HOME)
  assert.ok(!isDenial(first))
  checked = 0
  let refused = 0
  for (let i = 0; i < 100_000; i++) {
    // One guess per second: more than a day of guessing.
    nowMs += 1000
    const address = `198.51.${Math.floor(i / 250) % 40}.${i % 250}`
    const answer = await attempt(EMAIL, `wrong${i}guess`, address)
    assert.ok(isDenial(answer))
    if (answer.denied === 'too-many-attempts') refused++
  }
  assert.ok(checked > 0 && checked <= 100, `${checked} guesses reached the hash`)
  assert.equal(checked + refused, 100_000)
  const stranger = await attempt(EMAIL, PASSWORD, '192.0.2.99')
  assert.ok(isDenial(stranger) && stranger.denied === 'too-many-attempts')
  const byDevice = await attempt(EMAIL, PASSWORD, '192.0.2.99', first.deviceToken)
  assert.ok(!isDenial(byDevice), 'the owner was locked out on his known device')
})

test('the owner gets in from an address that signed in before, whatever strangers guess', async () => {
  const email = 'address@example.com'
  await newAccount(email)
  assert.ok(!isDenial(await attempt(email, PASSWORD, HOME)))
  for (let i = 0; i < 200; i++) {
    nowMs += 900_000
    await attempt(email, `wrong${i}guess`, `198.51.100.${i}`)
  }
  assert.ok(isDenial(await attempt(email, PASSWORD, '192.0.2.1')))
  assert.ok(!isDenial(await attempt(email, PASSWORD, HOME)))
})

/** Takes all places in the queue of hashes except `free`, until the stack is disposed. */
function aCrowd(free = 0): DisposableStack {
  const crowd = new DisposableStack()
  const { queue } = bounded.passwords
  const first = Array.from({ length: free }, () => queue.reserve())
  while (queue.hasRoom) crowd.use(queue.reserve())
  for (const place of first) place[Symbol.dispose]()
  return crowd
}

test('who is sent away because too many sign in has guessed nothing', async () => {
  const email = 'crowd@example.com'
  await newAccount(email)
  using crowd = aCrowd()
  for (let i = 0; i < 20; i++) await assert.rejects(signIn(bounded, requestOf(email)), Overloaded)
  crowd.dispose()
  assert.ok(!isDenial(await attempt(email, PASSWORD, HOME)))
})

test('who has waited in vain for his hash has guessed nothing, nor has who asked for nobody', async () => {
  await newAccount('queued@example.com')
  const verify = () => Promise.reject(new Overloaded('the wait was too long'))
  const waiting = { ...deps, passwords: { ...deps.passwords, verify } }
  for (const email of ['queued@example.com', 'nobody-queued@example.com']) {
    const request = requestOf(email, 'wrong1guess', '192.0.2.77')
    for (let i = 0; i <= SIGN_IN_BUCKET.capacity; i++)
      await assert.rejects(signIn(waiting, request), Overloaded)
    const answer = await signIn(deps, request)
    assert.equal(isDenial(answer) && answer.denied, 'credentials-wrong')
  }
})

test('who is sent away because too many sign in has not registered once', async () => {
  const person = newcomer('new@example.com')
  using crowd = aCrowd()
  for (let i = 0; i < REGISTRATION_BUCKET.capacity * 2; i++)
    await assert.rejects(registerAccount(bounded, person), Overloaded)
  crowd.dispose()
  assert.equal(typeof (await registerAccount(bounded, person)), 'number')
})

test('who has got the last place in the queue is not sent away from it later', async () => {
  const email = 'last@example.com'
  const crowd = aCrowd(1)
  const accountId = await registerAccount(real, newcomer(email))
  assert.ok(typeof accountId === 'number')
  await deps.store.changeAccount(accountId, { status: STATUS.active })
  assert.ok(!isDenial(await signIn(real, requestOf(email))))
  crowd.dispose()
})

test('the right password gets in also when there is no room to renew its hash', async () => {
  const email = 'renewal@example.com'
  await newAccount(email)
  const hash = () => Promise.reject(new Overloaded('the wait was too long'))
  const answer = await signIn({ ...deps, passwords: { ...deps.passwords, hash } }, requestOf(email))
  assert.ok(!isDenial(answer))
})

test('five hundred guesses at once are five hundred guesses: the count comes before the hash', async () => {
  const email = 'parallel@example.com'
  await newAccount(email)
  checked = 0
  const guesses = Array.from({ length: MANY }, (_, i) =>
    attempt(email, `wrong${i}guess`, `198.18.${i % 200}.${i % 7}`),
  )
  await Promise.all(guesses)
  assert.ok(checked <= 5, `${checked} guesses reached the hash within one moment`)
})

test('one /64 of IPv6 is one address in all its spellings, and spraying many accounts from it ends', async () => {
  checked = 0
  const spellings = [
    '2001:db8:1:2::1',
    '2001:DB8:1:2:0:0:0:ff',
    '2001:0db8:0001:0002::',
    '2001:db8:1:2:a:b:c:d',
  ]
  for (let i = 0; i < 400; i++) {
    await attempt(`nobody${i}@example.com`, 'wrong1guess', spellings[i % spellings.length] as string)
  }
  assert.ok(checked >= 100 && checked <= 101, `${checked} guesses reached the hash`)
})

test('the right password of an account that is not active yet is no guess', async () => {
  const email = 'waiting@example.com'
  const accountId = await newAccount(email)
  await deps.store.changeAccount(accountId, { status: STATUS.notVerified })
  for (let i = 0; i < 120; i++) {
    nowMs += 60_000
    const answer = await attempt(email, PASSWORD, HOME)
    assert.ok(isDenial(answer) && answer.denied === 'account-inactive')
  }
  await deps.store.changeAccount(accountId, { status: STATUS.active })
  assert.ok(!isDenial(await attempt(email, PASSWORD, HOME)))
})

test('the owner gets in on his device, whatever others behind the same address have tried', async () => {
  const email = 'shared@example.com'
  await newAccount(email)
  const first = await attempt(email, PASSWORD, SHARED)
  assert.ok(!isDenial(first))
  for (let i = 0; i < 120; i++) await attempt(`nobody${i}@example.org`, 'wrong1guess', SHARED)
  assert.ok(isDenial(await attempt(email, PASSWORD, SHARED)))
  for (let i = 0; i < 3; i++) assert.ok(!isDenial(await attempt(email, PASSWORD, SHARED, first.deviceToken)))
  assert.ok(isDenial(await attempt(email, PASSWORD, SHARED)), 'nobody else profits from that')
})

test('an address that nobody has is refused like one that somebody has', async () => {
  await newAccount('somebody@example.com')
  const answers = []
  for (const email of ['somebody@example.com', 'nobody@example.com']) {
    const kinds = []
    for (let i = 0; i < 12; i++) {
      const answer = await attempt(email, 'wrong1guess', `203.0.${email.length}.${i}`)
      assert.ok(isDenial(answer))
      kinds.push([answer.denied, answer.retryAfterSeconds])
    }
    answers.push(kinds)
  }
  assert.deepEqual(answers[0], answers[1])
})

test('typing errors cost nothing at first, then the wait doubles and a success starts anew', async () => {
  const email = 'typing@example.com'
  await newAccount(email)
  const waits = []
  for (let i = 0; i < 8; i++) {
    let answer = await attempt(email, 'wrong1guess', HOME)
    if (isDenial(answer) && answer.denied === 'too-many-attempts') {
      waits.push(answer.retryAfterSeconds)
      nowMs += (answer.retryAfterSeconds as number) * 1000
      answer = await attempt(email, 'wrong1guess', HOME)
    }
    assert.ok(isDenial(answer) && answer.denied === 'credentials-wrong')
  }
  assert.deepEqual(waits, [1, 2, 4])
  nowMs += 8000
  assert.ok(!isDenial(await attempt(email, PASSWORD, HOME)))
  const again = await attempt(email, 'wrong1guess', HOME)
  assert.ok(isDenial(again) && again.denied === 'credentials-wrong')
})

test('a new password forgets the failures before it', async () => {
  const email = 'changed@example.com'
  const accountId = await newAccount(email)
  for (let i = 0; i < 200; i++) {
    nowMs += 900_000
    await attempt(email, `wrong${i}guess`, `198.51.100.${i}`)
  }
  const by = { accountId: -3, code: 'Users->patchAccount', message: 'new password' } as const
  assert.ok(!isDenial(await changeAccount(deps, by, accountId, { password: 'another1password' })))
  assert.ok(!isDenial(await attempt(email, 'another1password', '192.0.2.200')))
})

test('a device token of one account says nothing for another', async () => {
  const [mine, yours] = ['mine@example.com', 'yours@example.com'] as const
  await newAccount(mine)
  await newAccount(yours)
  const signedIn = await attempt(mine, PASSWORD, '203.0.113.50')
  assert.ok(!isDenial(signedIn))
  for (let i = 0; i < 200; i++) {
    nowMs += 900_000
    await attempt(yours, `wrong${i}guess`, `198.51.100.${i}`)
  }
  const answer = await attempt(yours, PASSWORD, '192.0.2.3', signedIn.deviceToken)
  assert.ok(isDenial(answer) && answer.denied === 'too-many-attempts')
})

test('registration from one address has a bound', async () => {
  const register = (i: number) => registerAccount(deps, newcomer(`new${i}@example.com`, SHARED))
  for (let i = 0; i < 20; i++) assert.equal(typeof (await register(i)), 'number')
  const refused = await register(20)
  assert.ok(typeof refused === 'object' && refused.denied === 'too-many-attempts')
  assert.ok((refused.retryAfterSeconds ?? 0) > 0)
})
