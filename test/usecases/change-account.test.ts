/** Changes of a password while others change the same account: hashing takes long, but changes in between count. */
import assert from 'node:assert/strict'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { type TestContext, test } from 'node:test'
import { ROLE, STATUS } from '../../src/core/account.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { isDenial } from '../../src/core/denial.ts'
import { authenticate } from '../../src/usecases/authenticate.ts'
import { changeAccount } from '../../src/usecases/change-account.ts'
import { createAccount } from '../../src/usecases/create-account.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { emailHash } from '../../src/usecases/guard-sign-in.ts'
import { endSessions } from '../../src/usecases/end-sessions.ts'
import { HERE, PASSWORD, aPerson, addAccount, signIn, trySignIn } from '../support/people.ts'
import { UNLIMITED, openBeside, startTestService } from '../support/service.ts'

const BY = { accountId: SYSTEM, code: 'Users->patchAccount', message: 'a test' } as const
const NEW_PASSWORD = 'Another-Horse-2'

async function site(t: TestContext, variables = {}) {
  const service = await startTestService(variables)
  t.after(() => service.stop())
  const { accountId, email } = await addAccount(service)
  const { deps, close } = await openBeside(service)
  t.after(close)
  return { service, deps, accountId, email }
}

/** The same as `deps`, but `meanwhile` happens before each comparison and each hash. */
function interrupted(deps: Deps, meanwhile: () => Promise<unknown>): Deps {
  const { passwords } = deps
  const hash = (password: string) => meanwhile().then(() => passwords.hash(password))
  const verify = (known: string, password: string) =>
    meanwhile().then(() => passwords.verify(known, password))
  return { ...deps, passwords: { ...passwords, hash, verify } }
}

test('edits that come in during each hash do not keep a new password out', async (t) => {
  const { service, deps, accountId, email } = await site(t)
  let edits = 0
  const edit = async () => {
    const status = ++edits % 2 === 0 ? 1 : 0
    assert.equal(isDenial(await changeAccount(deps, BY, accountId, { status })), false)
  }
  const changed = await changeAccount(interrupted(deps, edit), BY, accountId, { password: NEW_PASSWORD })
  assert.ok(!isDenial(changed), JSON.stringify(changed))
  assert.deepEqual([edits, changed.status], [2, 1])
  await signIn(service, email, NEW_PASSWORD)
})

test('the present password once more lets in whom guesses have locked out, for a try before may have failed at that', async (t) => {
  const { deps, accountId, email } = await site(t)
  const guards: string[] = []
  const clearGuards = async (key: string) => {
    guards.push(key)
    return deps.store.clearGuards(key)
  }
  const watched = { ...deps, store: { ...deps.store, clearGuards } }
  assert.ok(!isDenial(await changeAccount(watched, BY, accountId, { password: PASSWORD })))
  assert.deepEqual(guards, [emailHash(email)])
  assert.ok(!isDenial(await changeAccount(watched, BY, accountId, { comment: 'no password' })))
  assert.equal(guards.length, 1)
})

test('of a password that bcrypt had read in part a slip behind that does not become the password, and a new end is a new password', async (t) => {
  const { service, deps, accountId, email } = await site(t)
  const long = `Right1-${'x'.repeat(80)}`
  const passwordHash = await bcryptHash(long, { cost: 4 })
  await deps.store.changeAccount(accountId, { passwordHash })
  await signIn(service, email, `${long.slice(0, -1)}y`)
  // The part that bcrypt looks at; it is not the password.
  await signIn(service, email, long.slice(0, 72))
  assert.equal((await deps.store.findAccountWithPassword(accountId))?.passwordHash, passwordHash)
  await signIn(service, email, long)
  const next = `${long.slice(0, -1)}z`
  assert.ok(!isDenial(await changeAccount(deps, BY, accountId, { password: next })))
  await signIn(service, email, next)
  assert.equal((await trySignIn(service, email, long)).status, 401)
})

test('another new password that comes in meanwhile is looked at again', async (t) => {
  const { service, deps, accountId, email } = await site(t)
  let others = 0
  const other = async () => {
    if (others++ === 0) await changeAccount(deps, BY, accountId, { password: NEW_PASSWORD })
  }
  // The requested password equals the current one at first, but no longer when the change is written.
  const changed = await changeAccount(interrupted(deps, other), BY, accountId, { password: PASSWORD })
  assert.ok(!isDenial(changed), JSON.stringify(changed))
  await signIn(service, email, PASSWORD)
  assert.equal((await trySignIn(service, email, NEW_PASSWORD)).status, 401)
})

test('many new passwords at once all get in, one after the other', async (t) => {
  const { service, deps, accountId, email } = await site(t, UNLIMITED)
  const passwords = Array.from({ length: 8 }, (_, i) => `${NEW_PASSWORD}${i}`)
  let hashes = 0
  const hash = (password: string) => {
    hashes++
    return deps.passwords.hash(password)
  }
  const counting = { ...deps, passwords: { ...deps.passwords, hash } }
  const changes = passwords.map((password) => changeAccount(counting, BY, accountId, { password }))
  for (const changed of await Promise.all(changes)) assert.ok(!isDenial(changed), JSON.stringify(changed))
  assert.equal(hashes, passwords.length)
  const statuses: number[] = []
  for (const password of passwords) statuses.push((await trySignIn(service, email, password)).status)
  assert.deepEqual(
    statuses.toSorted((a, b) => a - b),
    [200, ...passwords.slice(1).map(() => 401)],
  )
})

for (const end of ['this session', 'all sessions'] as const) {
  test(`whose session ended while the new password was hashed (${end}) changes nothing`, async (t) => {
    const { service, deps, accountId, email } = await site(t)
    const { accessToken } = await signIn(service, email)
    const caller = await authenticate(deps, accessToken, HERE)
    assert.ok(!isDenial(caller))
    const { sessionId } = caller.session
    const by = { ...BY, accountId, sessionId }
    const over = () =>
      end === 'this session'
        ? deps.store.endSession(accountId, sessionId, 'signed-out')
        : endSessions(deps, BY, accountId, 'ended-by-user')
    const changed = await changeAccount(interrupted(deps, over), by, accountId, { password: NEW_PASSWORD })
    assert.equal(isDenial(changed) && changed.denied, 'session-over')
    await signIn(service, email)
    assert.equal((await trySignIn(service, email, NEW_PASSWORD)).status, 401)
  })
}

for (const loss of ['suspended', 'demoted'] as const) {
  test(`an administrator who was ${loss} while a password was hashed neither changes nor creates an account`, async (t) => {
    const { service, deps, accountId } = await site(t)
    const boss = await addAccount(service, { roleId: ROLE.superAdmin })
    // The last super admin could be neither suspended nor demoted.
    await addAccount(service, { roleId: ROLE.superAdmin })
    const { accessToken } = await signIn(service, boss.email)
    const caller = await authenticate(deps, accessToken, HERE)
    assert.ok(!isDenial(caller))
    const { sessionId } = caller.session
    const by = { ...BY, accountId: boss.accountId, sessionId, roles: [ROLE.superAdmin] }
    const change = loss === 'suspended' ? { status: STATUS.suspended } : { roleId: ROLE.client }
    const lose = () => changeAccount(deps, BY, boss.accountId, change)
    const edit = { password: NEW_PASSWORD, roleId: ROLE.superAdmin }
    const denied = loss === 'suspended' ? 'account-inactive' : 'forbidden'
    const changed = await changeAccount(interrupted(deps, lose), by, accountId, edit)
    assert.equal(isDenial(changed) && changed.denied, denied)
    const person = { ...aPerson(), roleId: ROLE.superAdmin, password: NEW_PASSWORD }
    await changeAccount(deps, BY, boss.accountId, { status: STATUS.active, roleId: ROLE.superAdmin })
    const again = await authenticate(deps, (await signIn(service, boss.email)).accessToken, HERE)
    assert.ok(!isDenial(again))
    const byAgain = { ...by, sessionId: again.session.sessionId }
    const created = await createAccount(interrupted(deps, lose), byAgain, person)
    assert.equal(isDenial(created) && created.denied, denied)
    assert.equal((await deps.store.findAccount(accountId))?.roleId, ROLE.client)
    assert.equal(await deps.store.findAccountByEmail(person.email), null)
  })
}

test('what passed as the present password does not become it again once it is another one', async (t) => {
  const { deps, accountId } = await site(t)
  const changed = await changeAccount(deps, BY, accountId, { password: 'password1' })
  assert.deepEqual(changed, { denied: 'try-again', retryAfterSeconds: 1 })
})
