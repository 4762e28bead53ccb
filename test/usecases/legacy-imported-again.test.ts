/**
 * A backup from before the import is put back, recovered with the journals, and the accounts are imported again: tokens
 * of the original that had ended by then stay refused, and the others open sessions.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReplayedEntry } from '../../src/store/journal.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { denied, refresh, refreshed, sessionIdOf } from '../support/legacy-refresh.ts'
import { ENGINES, openLegacySite } from '../support/legacy-site.ts'
import { legacyToken } from '../support/legacy.ts'

const ENDED = { accountId: 2010, email: 'ended@example.com' }
const OTHER = { accountId: 2020, email: 'other@example.com' }

for (const engine of ENGINES) {
  describe(`accounts of the original that are imported again on ${engine}`, () => {
    async function importedAfter(
      entries: readonly ReplayedEntry[],
      work: (deps: Deps) => Promise<void>,
      { endAll = false } = {},
    ): Promise<void> {
      const site = await openLegacySite(engine)
      try {
        const { store } = site.deps
        await store.recover(entries, { endAll, givenIds: await store.givenIds(), writes: new Map() })
        for (const account of [ENDED, OTHER]) await site.takeOver(account)
        await work(site.deps)
      } finally {
        await site.close()
      }
    }

    test('of a session that had ended the token stays refused, and another of the same account does not', async () => {
      const [ended, living] = [await tokenOf(ENDED), await tokenOf(ENDED)]
      const end = {
        kind: 'session',
        sessionId: sessionIdOf(ended),
        reason: 'signed-out',
        atMs: Date.now(),
      } as const
      await importedAfter([end], async (deps) => {
        assert.equal(denied(await refresh(deps, ended)), 'session-over')
        await refreshed(deps, living)
      })
    })

    const ends: readonly (readonly [name: string, entry: ReplayedEntry])[] = [
      [
        'whose sessions had all ended',
        {
          kind: 'account-sessions',
          accountId: ENDED.accountId,
          reason: 'password-changed',
          exceptSessionId: null,
          sessionIds: [],
          atMs: Date.now(),
        },
      ],
      [
        'that had been suspended',
        { kind: 'account-status', accountId: ENDED.accountId, status: 2, atMs: Date.now() },
      ],
    ]
    for (const [name, entry] of ends) {
      test(`of an account ${name} all tokens stay refused, and those of another do not`, async () => {
        await importedAfter([entry], async (deps) => {
          assert.equal(denied(await refresh(deps, await tokenOf(ENDED))), 'session-over')
          await refreshed(deps, await tokenOf(OTHER))
        })
      })
    }

    test('after the application had been disabled, all tokens stay refused', async () => {
      const change = { kind: 'application', applicationId: 1, disabled: false, atMs: Date.now() } as const
      await importedAfter([{ ...change, epoch: 2 }], async (deps) => {
        assert.equal(denied(await refresh(deps, await tokenOf(ENDED))), 'session-over')
      })
      await importedAfter([{ ...change, epoch: 1 }], async (deps) => {
        await refreshed(deps, await tokenOf(ENDED))
      })
    })

    test('after a recovery that ended all sessions, all tokens are refused', async () => {
      await importedAfter(
        [],
        async (deps) => {
          for (const account of [ENDED, OTHER])
            assert.equal(denied(await refresh(deps, await tokenOf(account))), 'session-over')
        },
        { endAll: true },
      )
    })
  })
}

function tokenOf({ accountId, email }: typeof ENDED): Promise<string> {
  return legacyToken({ userId: accountId, email })
}
