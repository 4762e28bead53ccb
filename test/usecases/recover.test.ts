import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { STATUS } from '../../src/core/account.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { recover } from '../../src/usecases/recover.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { makeAccount, makeApplication, signIn } from '../store/engine.ts'
import { T0 } from '../support/sessions.ts'

const DAY_MS = 86_400_000

async function restored(t: { after(work: () => Promise<void>): void }, writtenAtMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-recover-'))
  const clock = { atMs: writtenAtMs, nowMs: () => clock.atMs }
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), clock)
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const account = await makeAccount(store)
  await store.beat('one')
  const written = { instanceId: 'one', write: async () => {} }
  return { store, clock, account, written }
}

test('a backup that is older than journals are kept is not covered by any', async (t) => {
  const { store, clock, written } = await restored(t, T0)
  clock.atMs += LIMITS.journalKeptMs + DAY_MS
  const headers = [{ instanceId: 'one', openedAtMs: T0 - DAY_MS }]
  const request = {
    journals: { headers, writes: new Map(), sessionEnds: [], otherEntries: [] },
    endAll: false,
    reviveEnded: false,
    ...written,
  }
  const { missing, endedAll } = await recover(store, request)
  assert.deepEqual([missing, endedAll], [['one'], true])
})

test('a suspension that the database has heard of is not taken over again, whatever the clocks say; another one is', async (t) => {
  const { store, account, written } = await restored(t, T0)
  const other = await makeAccount(store)
  assert.equal(await store.countWrite('one'), 1)
  const status = (accountId: number, write: number, atMs: number) =>
    ({ kind: 'account-status', accountId, status: STATUS.suspended, atMs, instanceId: 'one', write }) as const
  // The known suspension is dated later than the unknown one.
  const otherEntries = [status(account.accountId, 1, T0 + DAY_MS), status(other.accountId, 2, T0 - DAY_MS)]
  const headers = [{ instanceId: 'one', openedAtMs: T0 - 20 * DAY_MS }]
  const journals = { headers, writes: new Map([['one', 2]]), sessionEnds: [], otherEntries }
  await recover(store, { journals, endAll: false, reviveEnded: false, ...written })
  assert.equal((await store.findAccount(account.accountId))?.status, STATUS.active)
  assert.equal((await store.findAccount(other.accountId))?.status, STATUS.suspended)
  const [instance] = await store.listInstances()
  assert.ok(instance !== undefined && instance.writes > 2)
})

test('a session that ended alone keeps its reason, though all of its account ended afterwards', async (t) => {
  const { store, account, written } = await restored(t, T0)
  const { sessionId } = await signIn(store, account, await makeApplication(store))
  const { accountId } = account
  const all = { kind: 'account-sessions', accountId, exceptSessionId: null, sessionIds: [] } as const
  const journals = {
    headers: [{ instanceId: 'one', openedAtMs: T0 - DAY_MS }],
    writes: new Map([['one', 2]]),
    sessionEnds: [{ kind: 'session', sessionId, reason: 'signed-out', atMs: T0 + 1 }] as const,
    otherEntries: [{ ...all, reason: 'ended-by-user', atMs: T0 + 2, instanceId: 'one', write: 2 }] as const,
  }
  const recovered = await recover(store, { journals, endAll: false, reviveEnded: false, ...written })
  assert.deepEqual([recovered.entries, recovered.endedAll], [2, false])
  const view = await store.readSession(sessionId)
  assert.deepEqual([view?.session.endReason, view?.session.endedAtMs], ['signed-out', T0 + 1])
})
