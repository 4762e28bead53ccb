/** Which lines an import accepts, and what it reports about the others. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { findAccount } from '../../src/cli/account/choose.ts'
import type { Composed } from '../../src/compose.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { createDateFormat } from '../../src/core/dates.ts'
import { importAccounts } from '../../src/usecases/import-accounts.ts'
import { ENGINES } from '../support/engines.ts'
import { makeAccount } from '../support/opened-session.ts'
import { PASSWORD } from '../support/people.ts'
import { type TestService, UNLIMITED, openBeside, startTestService } from '../support/service.ts'

let service: TestService
let beside: Composed & { close(): Promise<void> }
before(async () => {
  service = await startTestService(UNLIMITED)
  beside = await openBeside(service)
})
after(async () => {
  await beside.close()
  await service.stop()
})

const good = {
  firstName: 'Ani',
  lastName: 'Sarkis',
  email: 'ani@example.com',
  phone: '37411223344',
  passwordHash: '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
}

async function* linesOf(lines: readonly (object | string)[]): AsyncIterable<string> {
  for (const line of lines) yield typeof line === 'string' ? line : JSON.stringify(line)
}

const imported = (...lines: readonly (object | string)[]) =>
  importAccounts(beside.deps, linesOf(lines), createDateFormat('Asia/Yerevan'), () => {})

for (const { name, open } of ENGINES) {
  test(`after any import, also a refused one, new accounts on ${name} get ids that can be named`, async (t) => {
    const engine = await open()
    t.after(() => engine.close())
    const [deps] = engine.deps
    const dates = createDateFormat('UTC')
    for (const userId of [999_999_999_999_999, 999_999_999_999]) {
      const line = { ...good, userId, email: `${userId}@example.com` }
      const twice = linesOf([line, { ...line, userId: 5 }])
      assert.equal(typeof (await importAccounts(deps, twice, dates, () => {})), 'object')
      await importAccounts(deps, linesOf([line]), dates, () => {})
      const { accountId } = await makeAccount(deps)
      assert.equal((await findAccount(deps, String(accountId))).accountId, accountId)
    }
    assert.equal((await findAccount(deps, '999999999999')).email, '999999999999@example.com')
  })
}

const BAD: readonly [name: string, line: object | string, reason: RegExp][] = [
  ['is no JSON', '{"firstName":', /^this is no JSON object: each line must hold a whole one/],
  ['is no object', '[]', /^this is no JSON object: /],
  ['is null', 'null', /^this is no JSON object: /],
  ['has another key', { ...good, role: 1 }, /^unknown key "role"; allowed are userId, /],
  [
    'has __proto__ for a key',
    JSON.stringify(good).replace('{', '{"__proto__":{},'),
    /^unknown key "__proto__"/,
  ],
  ['has a first name too short', { ...good, firstName: 'A' }, /^firstName must have 2 to 15/],
  ['has no last name', { ...good, lastName: undefined }, /^lastName must have 2 to 20/],
  ['has a phone that is a number', { ...good, phone: 37_411_223_344 }, /^phone must have 6 to 20/],
  ['has no valid address', { ...good, email: 'ani' }, /^email must be a valid address$/],
  ['has a comment too long', { ...good, comment: 'x'.repeat(256) }, /^comment must have at most 255/],
  ['has a name with NUL', { ...good, firstName: 'An\0i' }, /^firstName must have/],
  ['has an unknown role', { ...good, roleId: 6 }, /^roleId must be one of: 1, 2, 3, 4, 5$/],
  ['has a role in words', { ...good, roleId: 'admin' }, /^roleId must be/],
  ['has an unknown status', { ...good, status: 4 }, /^status must be one of: 0, 1, 2, 3$/],
  [
    'has an id that is none',
    { ...good, userId: 0 },
    /^userId must be a whole number from 1 to 999999999999$/,
  ],
  ['has an id with a fraction', { ...good, userId: 1.5 }, /^userId must be/],
  ['has an id in words', { ...good, userId: '7' }, /^userId must be/],
  ['has an id that loses digits', { ...good, userId: 1e300 }, /^userId must be/],
  [
    'has a date that is none',
    { ...good, dateRegistered: '2019-02-30 00:00:00' },
    /^dateRegistered must be a date/,
  ],
  ['has a date as a number', { ...good, dateLastLogin: 1_574_418_837 }, /^dateLastLogin must be a date/],
  [
    'has neither password nor hash',
    { ...good, passwordHash: undefined },
    /^give either password .* or passwordHash/,
  ],
  ['has both', { ...good, password: PASSWORD }, /^give either password .* or passwordHash .*, not both$/],
  [
    'has a weak password',
    { ...good, passwordHash: undefined, password: 'weak' },
    /^password must have 6 to 256 bytes and /,
  ],
  [
    'has a hash that we cannot check',
    { ...good, passwordHash: '5f4dcc3b5aa765d61d8327deb882cf99' },
    /^passwordHash cannot be checked here: it must be argon2id .* or bcrypt/,
  ],
  [
    'has a hash of bcrypt with bits that bcrypt leaves empty',
    { ...good, passwordHash: good.passwordHash.replace(/y$/, 'z') },
    /^passwordHash cannot be checked here/,
  ],
  ['has a hash that is a number', { ...good, passwordHash: 5 }, /^passwordHash cannot be checked here/],
]

describe('a line is refused, with its number, and nothing is imported, when it', () => {
  for (const [name, line, reason] of BAD) {
    test(name, async () => {
      const outcome = await imported({ ...good, email: 'first@example.com' }, '  ', line, 'not looked at')
      assert.ok(typeof outcome === 'object')
      assert.equal(outcome.line, 3)
      assert.match(outcome.reason, reason)
      assert.deepEqual(await beside.deps.store.listAccounts(0, 10), [])
    })
  }

  test('has the address of a line before it, in another case', async () => {
    const outcome = await imported(good, '', { ...good, email: 'ANI@example.com' })
    assert.deepEqual(outcome, { line: 3, reason: 'the e-mail address is registered already' })
  })

  test('has the id of a line before it', async () => {
    const outcome = await imported({ ...good, userId: 9 }, { ...good, userId: 9, email: 'other@example.com' })
    assert.deepEqual(outcome, { line: 2, reason: 'the userId is taken already' })
    assert.deepEqual(await beside.deps.store.listAccounts(0, 10), [])
  })
})

test('a good line keeps id, dates, role and status; what is left out is client, not verified, now', async () => {
  const whole = {
    ...good,
    userId: 77,
    password: null,
    comment: 'from elsewhere',
    roleId: 2,
    status: 3,
    dateRegistered: '2019-07-21 04:09:07',
    dateLastUpdate: '2020-01-01 00:00:00',
    dateLastLogin: null,
  }
  const beforeMs = beside.deps.store.clock.nowMs()
  const outcome = await imported(whole, { ...good, email: 'bare@example.com', comment: null })
  assert.equal(outcome, 2)
  const [kept, bare] = await beside.deps.store.listAccounts(0, 10)
  assert.deepEqual([kept?.accountId, kept?.comment, kept?.roleId, kept?.status], [77, 'from elsewhere', 2, 3])
  assert.equal(kept?.registeredAtMs, Date.parse('2019-07-21T00:09:07Z'))
  assert.equal(kept?.updatedAtMs, Date.parse('2019-12-31T20:00:00Z'))
  assert.equal(kept?.lastSignInAtMs, null)
  assert.deepEqual([bare?.roleId, bare?.status, bare?.comment], [4, 0, null])
  assert.ok((bare?.accountId ?? 0) > 77)
  assert.ok((bare?.registeredAtMs ?? 0) >= beforeMs)
})

test('an import stands in the audit trail of the system, a refused one does not', async () => {
  const { deps } = beside
  const line = { ...good, email: 'trail@example.com' }
  const listed = async () => {
    await deps.events.flush()
    return (await deps.store.listActions(SYSTEM, 0, 10, 0, Number.MAX_SAFE_INTEGER)).map(
      ({ message }) => message,
    )
  }
  const earlier = await listed()
  assert.equal(await imported(line, { ...line, email: 'trail2@example.com' }), 2)
  assert.equal(typeof (await imported(line)), 'object')
  assert.deepEqual(await listed(), ['Accounts imported: 2', ...earlier])
})
