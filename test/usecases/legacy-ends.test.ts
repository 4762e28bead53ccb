/** Refresh tokens of the original never outlive an end of their session, whether they were used before it or not. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AccountChange } from '../../src/core/account.ts'
import type { ChangeOptions } from '../../src/store/store.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { signOutWithRefreshToken } from '../../src/usecases/sign-out.ts'
import { counting, denied, refresh, refreshed, sessionIdOf, tokenOf } from '../support/legacy-refresh.ts'
import { ENGINES, type LegacySite, openLegacySite } from '../support/legacy-site.ts'
import { legacyToken } from '../support/legacy.ts'

for (const engine of ENGINES) {
  describe(`ends and refresh tokens of the original on ${engine}`, () => {
    let opened: LegacySite | undefined
    const site = () => opened as LegacySite
    before(async () => {
      opened = await openLegacySite(engine)
    })
    after(() => opened?.close())

    describe('after the first use', () => endCases(site))
    describe('before the first use', () => earlyEndCases(site))
    describe('after a restore', () => restoreCases(site))
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

  test('tokens are forgotten long after their end, a few at a time', async () => {
    const { deps } = site()
    const { accountId: userId, email } = await site().takeOver()
    const endsInOrder: string[] = []
    for (const lifeSeconds of [3600, 7200, 10_800]) {
      const token = await legacyToken({ userId, email, lifeSeconds })
      await refreshed(deps, token)
      endsInOrder.push(sessionIdOf(token))
    }
    const known = () => Promise.all(endsInOrder.map((id) => deps.store.knowsLegacySession(id)))
    const inTwoHoursMs = deps.store.clock.nowMs() + 2 * 3_600_000
    assert.equal(await deps.store.removeOldLegacySessions(inTwoHoursMs, 1), 1)
    assert.deepEqual(await known(), [false, true, true])
    assert.equal(await deps.store.removeOldLegacySessions(inTwoHoursMs, 1000), 1)
    assert.deepEqual(await known(), [false, false, true])
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
      // The date of issue does not matter, not even one from a clock of the original that runs ahead.
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

function restoreCases(site: () => LegacySite): void {
  test('an ended session that the backup does not know is not opened again', async () => {
    const { deps } = site()
    const account = await site().takeOver()
    const [ended, living] = [await tokenOf(account), await tokenOf(account)]
    const entry = { kind: 'session', reason: 'signed-out', atMs: deps.store.clock.nowMs() } as const
    const options = { endAll: false, givenIds: await deps.store.givenIds(), writes: new Map() }
    await deps.store.recover([{ ...entry, sessionId: sessionIdOf(ended) }], options)
    assert.equal(denied(await refresh(deps, ended)), 'session-over')
    await refreshed(deps, living)
  })

  test('where all sessions end, tokens that have not been used yet are refused too', async () => {
    const { deps } = site()
    const token = await tokenOf(await site().takeOver())
    await deps.store.recover([], { endAll: true, givenIds: await deps.store.givenIds(), writes: new Map() })
    assert.equal(denied(await refresh(deps, token)), 'session-over')
  })
}

function ending(exceptSessionId: string | null = null): ChangeOptions {
  return { endSessions: { reason: 'password-changed', exceptSessionId } }
}
