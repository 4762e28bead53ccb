/** A refresh token of the original opens one session of this service, for as long as the token lasts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Account } from '../../src/core/account.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { journaled } from '../../src/store/journaled.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { readAccessToken } from '../../src/tokens/access-token.ts'
import { readLegacyRefreshToken } from '../../src/tokens/legacy-refresh-token.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { counting, denied, refresh, refreshed, sessionIdOf, tokenOf } from '../support/legacy-refresh.ts'
import { ENGINES, type LegacySite, openLegacySite } from '../support/legacy-site.ts'
import { openSession } from '../support/opened-session.ts'
import { LEGACY_KEYS, legacyClaims, legacyToken, phpHash, signLegacy } from '../support/legacy.ts'

for (const engine of ENGINES) {
  describe(`refresh tokens of the original on ${engine}`, () => {
    let opened: LegacySite | undefined
    const site = () => opened as LegacySite
    before(async () => {
      opened = await openLegacySite(engine, { DUKTIG_REFRESH_ROTATION: 'on' })
    })
    after(() => opened?.close())

    describe('used', () => usedCases(site))
    describe('while the journal cannot be written', () => journalCases(site))
    describe('refused', () => refusedCases(site))
  })
}

function journalCases(site: () => LegacySite): void {
  test('the first use that is refused for that is not the last', async () => {
    const { deps } = site()
    let isFull = true
    const journal = {
      covers: () => false,
      async append(entries: readonly unknown[]) {
        if (isFull && entries.length > 0) throw new StoreUnavailable('the disk is full')
      },
      isSetBack: false,
    }
    const behind = { ...deps, store: journaled(deps.store, journal) }
    const account = await site().takeOver()
    const application = await deps.store.findApplication(1)
    assert.ok(application !== null)
    // The account has as many sessions as it may have, so that a new session ends another.
    for (let i = 0; i < LIMITS.liveSessionsPerAccount; i++) await openSession(deps, account, application)
    const token = await tokenOf(account)
    await assert.rejects(refresh(behind, token), StoreUnavailable)
    isFull = false
    await refreshed(behind, token)
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

function refusedCases(site: () => LegacySite): void {
  test('where the settings do not name its secrets', async () => {
    const deps = { ...site().deps, legacy: null }
    assert.equal(denied(await refresh(deps, await tokenOf(await site().takeOver()))), 'token-invalid')
  })

  test('with an account key that the original did not make, which is reported as that', async () => {
    const { deps } = site()
    const reported: string[] = []
    const wrongAccountKey = (address: string) => void reported.push(address)
    const invalidToken = () => assert.fail('reported as a forged token')
    const heard = { ...deps, events: { ...deps.events, wrongAccountKey, invalidToken } }
    const { accountId: userId, email } = await site().takeOver()
    const claims = await legacyClaims({ userId, email })
    for (const key of [await phpHash(`${userId}another${email}`), '', 'plain', '$2y$04$short']) {
      const token = signLegacy(JSON.stringify({ ...claims, account: { userId, email, account_key: key } }))
      assert.equal(denied(await refresh(heard, token)), 'token-invalid', key)
    }
    assert.equal(reported.length, 4)
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

  test('with the key of another application, which is reported', async () => {
    const reported: string[] = []
    const unknownKey = (address: string) => void reported.push(address)
    const deps = { ...site().deps, events: { ...site().deps.events, unknownKey } }
    const token = await tokenOf(await site().takeOver())
    const policy = (await deps.store.findApplication(1)) ?? assert.fail()
    const application = await deps.store.createApplication({ ...policy, clientId: 'another' }, null)
    assert.ok(application !== 'client-id-taken')
    const request = { refreshToken: token, attemptKey: null, application, address: '192.0.2.7' }
    assert.equal(denied(await refreshSession(deps, request)), 'application-wrong')
    await refreshed(deps, token)
    assert.equal(denied(await refreshSession(deps, request)), 'application-wrong')
    assert.deepEqual(reported, ['192.0.2.7', '192.0.2.7'])
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
