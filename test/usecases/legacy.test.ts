/** Refresh tokens of the original lead to sessions of ours: once, for their time, and never past an end. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import { isDenial } from '../../src/core/denial.ts'
import type { AccountChange, ChangeOptions } from '../../src/store/store.ts'
import { readAccessToken } from '../../src/tokens/access-token.ts'
import { readLegacyRefreshToken } from '../../src/tokens/legacy-refresh-token.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { type Refreshed, refreshSession } from '../../src/usecases/refresh-session.ts'
import { signOutWithRefreshToken } from '../../src/usecases/sign-out.ts'
import { LEGACY_KEYS, legacyClaims, legacyToken, phpHash, signLegacy } from '../support/legacy.ts'
import { ENGINES, type LegacySite, openLegacySite } from '../support/legacy-site.ts'

function refresh(deps: Deps, refreshToken: string) {
  const address = '192.0.2.7'
  return refreshSession(deps, { refreshToken, attemptKey: null, application: null, address })
}

async function refreshed(deps: Deps, token: string): Promise<Refreshed> {
  const outcome = await refresh(deps, token)
  assert.ok(!isDenial(outcome), JSON.stringify(outcome))
  return outcome
}

function tokenOf({ accountId, email }: Account): Promise<string> {
  return legacyToken({ userId: accountId, email })
}

function sessionIdOf(token: string): string {
  return readLegacyRefreshToken(token, LEGACY_KEYS.refreshSecret)?.sessionId ?? 'no token'
}

/** `deps` with the checks of passwords and account keys counted. */
function counting(deps: Deps): { deps: Deps; checks(): number } {
  let count = 0
  const verify: Deps['passwords']['verify'] = (hash, password) => {
    count += 1
    return deps.passwords.verify(hash, password)
  }
  return { deps: { ...deps, passwords: { ...deps.passwords, verify } }, checks: () => count }
}

for (const engine of ENGINES) {
  describe(`refresh tokens of the original on ${engine}`, () => {
    let opened: LegacySite | undefined
    const site = () => opened as LegacySite
    before(async () => {
      opened = await openLegacySite(engine, { DUKTIG_REFRESH_ROTATION: 'on' })
    })
    after(() => opened?.close())

    describe('used', () => usedCases(site))
    describe('and ends', () => endCases(site))
    describe('ends before the first use', () => earlyEndCases(site))
    describe('refused', () => refusedCases(site))
    describe('after a restore', () => restoreCases(site))
  })
}

function usedCases(site: () => LegacySite): void {
  test('the first use opens a session, and every later one finds it on all instances', async () => {
    const { deps, other } = site()
    const account = await site().takeOver()
    const token = await tokenOf(account)
    const first = await refreshed(deps, token)
    const second = await refreshed(other, token)
    const claims = [first, second].map(({ accessToken }) =>
      readAccessToken(accessToken, deps.keys.verifiers('access'), deps.names),
    )
    assert.deepEqual(
      claims.map((claim) => [claim?.accountId, claim?.sessionId]),
      Array.from({ length: 2 }, () => [account.accountId, sessionIdOf(token)]),
    )
    const [session, ...more] = await deps.store.listSessions(account.accountId, 10)
    assert.deepEqual(more, [])
    assert.deepEqual(session?.amr, ['legacy'])
    assert.equal(session?.address, '192.0.2.7')
  })

  test('the client keeps its token: no successor comes, though new sessions rotate', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const token = await tokenOf(account)
    for (let i = 0; i < 3; i++) assert.equal((await refreshed(deps, token)).refreshToken, null)
    const [session] = await deps.store.listSessions(account.accountId, 10)
    assert.equal(session?.rotation, false)
    assert.equal(session?.generation, 1)
  })

  test('the session ends when the token does, and the date of the last sign-in stays', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const lifeSeconds = 90
    const token = await legacyToken({ userId: account.accountId, email: account.email, lifeSeconds })
    const { expiresAtSeconds } = await refreshed(deps, token)
    const [session] = await deps.store.listSessions(account.accountId, 10)
    const exp = readLegacyRefreshToken(token, LEGACY_KEYS.refreshSecret)?.expiresAtSeconds ?? 0
    assert.equal(session?.expiresAtMs, exp * 1000)
    assert.equal(expiresAtSeconds, exp)
    const { lastSignInAtMs } = (await deps.store.findAccount(account.accountId)) as Account
    assert.equal(lastSignInAtMs, account.lastSignInAtMs)
  })

  test('many first uses at once, on two instances, open one session', async () => {
    const { deps, other } = site()
    const account = await site().takeOver()
    const token = await tokenOf(account)
    await Promise.all(Array.from({ length: 24 }, (_, i) => refreshed(i % 2 === 0 ? deps : other, token)))
    assert.equal((await deps.store.listSessions(account.accountId, 10)).length, 1)
  })

  test('two tokens of an account have two sessions', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    for (let i = 0; i < 2; i++) await refreshed(deps, await tokenOf(account))
    assert.equal((await deps.store.listSessions(account.accountId, 10)).length, 2)
  })

  test('the slow check of the account key is done at the first use only', async () => {
    const { deps, checks } = counting(site().deps)
    const token = await tokenOf(await site().takeOver())
    for (let i = 0; i < 5; i++) await refreshed(deps, token)
    assert.equal(checks(), 1)
  })

  test('the address may be written in another case than the account has it', async () => {
    const account = await site().takeOver()
    const email = account.email.toUpperCase()
    await refreshed(site().deps, await legacyToken({ userId: account.accountId, email }))
  })

  test('an account key longer than the 72 bytes that bcrypt looks at is checked as PHP made it', async () => {
    const keys = { ...LEGACY_KEYS, accountKey: 'ключ'.repeat(20) }
    const deps = { ...site().deps, legacy: keys }
    const { accountId: userId, email } = await site().takeOver()
    await refreshed(deps, await legacyToken({ userId, email, keys }))
  })

  test('the access token says who the account is now', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const token = await tokenOf(account)
    await refreshed(deps, token)
    await deps.store.changeAccount(account.accountId, { firstName: 'Nare', roleId: 5 })
    const { accessToken } = await refreshed(deps, token)
    const payload = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
    assert.equal(payload.account.firstName, 'Nare')
    assert.equal(payload.account.roleId, 5)
  })
}

function endCases(site: () => LegacySite): void {
  const ends: readonly (readonly [
    name: string,
    end: (deps: Deps, accountId: number, token: string) => unknown,
  ])[] = [
    [
      'ended from the list',
      (deps, id, token) => deps.store.endSession(id, sessionIdOf(token), 'ended-by-user'),
    ],
    ['ended with all others', (deps, id) => deps.store.endSessions(id, 'ended-by-administrator')],
    ['signed out with its own token', (deps, _, token) => signOutWithRefreshToken(deps, token, '192.0.2.7')],
    [
      'ended by a new password',
      (deps, id) => deps.store.changeAccount(id, { passwordHash: 'new' }, ending()),
    ],
  ]
  for (const [name, end] of ends) {
    test(`a session ${name} stays ended, also when its row has been removed`, async () => {
      const { deps, other } = site()
      const account = await site().takeOver()
      const token = await tokenOf(account)
      await refreshed(deps, token)
      await end(deps, account.accountId, token)
      assert.equal(denied(await refresh(other, token)), 'session-over')
      await site().deps.store.removeOldLegacySessions(deps.store.clock.nowMs(), 1000)
      await site().removeRow(sessionIdOf(token))
      assert.equal(await deps.store.readSession(sessionIdOf(token)), null)
      assert.equal(denied(await refresh(other, token)), 'session-over')
    })
  }

  test('a suspended account is told so; active again, its token stays refused', async () => {
    const { deps } = site()
    const { accountId, ...account } = await site().takeOver()
    const token = await tokenOf({ accountId, ...account })
    await refreshed(deps, token)
    await deps.store.changeAccount(accountId, { status: 2 }, ending())
    assert.equal(denied(await refresh(deps, token)), 'account-inactive')
    await deps.store.changeAccount(accountId, { status: 1 })
    assert.equal(denied(await refresh(deps, token)), 'session-over')
  })

  test('whoever changes his password with this session keeps it, and no other', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const [kept, lost, unused] = await Promise.all([tokenOf(account), tokenOf(account), tokenOf(account)])
    await refreshed(deps, kept)
    await refreshed(deps, lost)
    await deps.store.changeAccount(account.accountId, { passwordHash: 'new' }, ending(sessionIdOf(kept)))
    await refreshed(deps, kept)
    assert.equal(denied(await refresh(deps, lost)), 'session-over')
    assert.equal(denied(await refresh(deps, unused)), 'session-over')
  })

  test('a token whose time is over is refused, whatever is remembered of it', async () => {
    const { deps } = site()
    const { accountId: userId, email } = await site().takeOver()
    const now = Math.floor(deps.store.clock.nowMs() / 1000)
    const token = await legacyToken({ userId, email, issuedAtSeconds: now - 100, lifeSeconds: 103 })
    await refreshed(deps, token)
    await new Promise((resolve) => setTimeout(resolve, 3100))
    assert.equal(denied(await refresh(deps, token)), 'session-over')
    await deps.store.removeExpiredSessions(1000)
    assert.equal(denied(await refresh(deps, token)), 'session-over')
  })
}

function earlyEndCases(site: () => LegacySite): void {
  const ends: readonly (readonly [name: string, end: (deps: Deps, accountId: number) => Promise<unknown>])[] =
    [
      ['a new password', (deps, id) => deps.store.changeAccount(id, { passwordHash: 'new' }, ending())],
      ['the end of all sessions', (deps, id) => deps.store.endSessions(id, 'ended-by-user')],
      [
        'a suspension that was lifted',
        async (deps, id) => {
          await deps.store.changeAccount(id, { status: 2 }, ending())
          await deps.store.changeAccount(id, { status: 1 })
        },
      ],
      [
        'the application disabled and enabled',
        async (deps) => {
          await deps.store.changeApplication(1, { disabled: true })
          await deps.store.changeApplication(1, { disabled: false })
        },
      ],
    ]
  for (const [name, end] of ends) {
    test(`a token issued before the move and first used after ${name} is refused, without a slow check`, async () => {
      const { deps, checks } = counting(site().deps)
      const account = await site().takeOver()
      // However it is dated: a clock of the original that runs ahead changes nothing.
      const issuedAtSeconds = Math.floor(Date.now() / 1000) + 30
      const facts = { userId: account.accountId, email: account.email }
      const tokens = [await legacyToken(facts), await legacyToken({ ...facts, issuedAtSeconds })]
      await end(deps, account.accountId)
      for (const token of tokens) assert.equal(denied(await refresh(deps, token)), 'session-over')
      assert.equal(checks(), 0)
      assert.deepEqual(await deps.store.listSessions(account.accountId, 10), [])
    })
  }

  const harmless: readonly (readonly [name: string, change: AccountChange, options?: ChangeOptions])[] = [
    ['another name', { firstName: 'Nare' }],
    ['another role', { roleId: 5 }],
    ['a better hash of the same password', { passwordHash: 'better' }, { silent: true }],
  ]
  for (const [name, change, options] of harmless) {
    test(`${name} does not matter`, async () => {
      const { deps } = site()
      const account = await site().takeOver()
      await deps.store.changeAccount(account.accountId, change, options)
      await refreshed(deps, await tokenOf(account))
    })
  }

  test('an end of all sessions that races first uses leaves no living session behind', async () => {
    const { deps, other } = site()
    for (let round = 0; round < 10; round++) {
      const account = await site().takeOver()
      const tokens = await Promise.all([tokenOf(account), tokenOf(account), tokenOf(account)])
      const uses = tokens.map((token, i) => refresh(i % 2 === 0 ? deps : other, token))
      const pauseMs = round
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      await other.store.endSessions(account.accountId, 'ended-by-user')
      await Promise.all(uses)
      for (const token of tokens) assert.equal(denied(await refresh(deps, token)), 'session-over')
    }
  })
}

function refusedCases(site: () => LegacySite): void {
  test('where the settings do not name its secrets', async () => {
    const deps = { ...site().deps, legacy: null }
    assert.equal(denied(await refresh(deps, await tokenOf(await site().takeOver()))), 'token-invalid')
  })

  test('with an account key that the original did not make', async () => {
    const { accountId: userId, email } = await site().takeOver()
    const claims = await legacyClaims({ userId, email })
    for (const key of [await phpHash(`${userId}another${email}`), '', 'plain', '$2y$04$short']) {
      const token = signLegacy(JSON.stringify({ ...claims, account: { userId, email, account_key: key } }))
      assert.equal(denied(await refresh(site().deps, token)), 'token-invalid', key)
    }
  })

  test('for an account that is not here', async () => {
    const token = await legacyToken({ userId: 987_654, email: 'nobody@example.com' })
    assert.equal(denied(await refresh(site().deps, token)), 'account-unknown')
  })

  test('for an address that is no longer the account’s', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const token = await tokenOf(account)
    await deps.store.changeAccount(account.accountId, { email: `new.${account.email}` })
    assert.equal(denied(await refresh(deps, token)), 'token-invalid')
  })

  test('for an account that is not active', async () => {
    for (const status of [0, 2, 3] as const) {
      const token = await tokenOf(await site().takeOver({ status }))
      assert.equal(denied(await refresh(site().deps, token)), 'account-inactive')
    }
  })

  test('for an account that did not come from the original, though it has id and address', async () => {
    const { deps } = site()
    const imported = await site().takeOver({ takesLegacyTokens: false })
    assert.equal(denied(await refresh(deps, await tokenOf(imported))), 'session-over')
    const created = await deps.store.createAccount({
      ...imported,
      email: 'own@example.com',
      passwordHash: 'hash',
    })
    assert.ok(created !== 'email-taken')
    assert.equal(denied(await refresh(deps, await tokenOf(created))), 'session-over')
  })

  test('with the key of another application', async () => {
    const { deps } = site()
    const token = await tokenOf(await site().takeOver())
    const policy = (await deps.store.findApplication(1)) ?? assert.fail()
    const application = await deps.store.createApplication({ ...policy, clientId: 'another' }, null)
    assert.ok(application !== 'client-id-taken')
    const request = { refreshToken: token, attemptKey: null, application, address: '192.0.2.7' }
    assert.equal(denied(await refreshSession(deps, request)), 'session-over')
    await refreshed(deps, token)
    assert.equal(denied(await refreshSession(deps, request)), 'session-over')
  })

  test('after its time, though nobody has used it before; no session is opened then', async () => {
    const { deps } = site()
    const { accountId, email } = await site().takeOver()
    const issuedAtSeconds = Math.floor(Date.now() / 1000) - 7200
    const token = await legacyToken({ userId: accountId, email, issuedAtSeconds, lifeSeconds: 7199 })
    assert.equal(denied(await refresh(deps, token)), 'session-over')
    assert.deepEqual(await deps.store.listSessions(accountId, 10), [])
  })

  test('before its time', async () => {
    const { accountId: userId, email } = await site().takeOver()
    const issuedAtSeconds = Math.floor(Date.now() / 1000) + 3600
    const token = await legacyToken({ userId, email, issuedAtSeconds })
    assert.equal(denied(await refresh(site().deps, token)), 'token-invalid')
  })
}

function restoreCases(site: () => LegacySite): void {
  test('an ended session that the backup does not know is not opened again', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const [ended, living] = [await tokenOf(account), await tokenOf(account)]
    const entry = { kind: 'session', reason: 'signed-out', atMs: deps.store.clock.nowMs() } as const
    const options = { endAll: false, idGap: 0, instanceIds: [] }
    await deps.store.recover([{ ...entry, sessionId: sessionIdOf(ended) }], options)
    assert.equal(denied(await refresh(deps, ended)), 'session-over')
    await refreshed(deps, living)
  })

  test('where all sessions end, tokens that have not been used yet are refused too', async () => {
    const { deps } = site()
    const token = await tokenOf(await site().takeOver())
    await deps.store.recover([], { endAll: true, idGap: 0, instanceIds: [] })
    assert.equal(denied(await refresh(deps, token)), 'session-over')
  })
}

function ending(exceptSessionId: string | null = null): ChangeOptions {
  return { endSessions: { reason: 'password-changed', exceptSessionId } }
}

function denied(outcome: object): string | undefined {
  return isDenial(outcome) ? outcome.denied : undefined
}
