/** What the journal contains, over a real store. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ROLE, STATUS } from '../../src/core/account.ts'
import { createClock } from '../../src/operations/clock.ts'
import type { JournalEntry } from '../../src/store/journal.ts'
import { journaled } from '../../src/store/journaled.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { makeAccount, makeApplication, refreshRequest, signIn, signInRequest, signedIn } from './engine.ts'

async function site(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-journaled-'))
  const { store: bare } = await openSqlite(join(folder, 'duktig.sqlite'), createClock())
  t.after(async () => {
    await bare.close()
    rmSync(folder, { recursive: true })
  })
  const entries: JournalEntry[] = []
  const journal = {
    fails: false,
    /** Ends before this are known to be in the journal. */
    coveredToMs: 0,
    covers: (endedAtMs: number) => endedAtMs < journal.coveredToMs,
    async append(more: readonly JournalEntry[]) {
      if (journal.fails && more.length > 0) throw new StoreUnavailable('the disk is full')
      entries.push(...more)
    },
    isSetBack: false,
  }
  return { bare, store: journaled(bare, journal), journal, entries }
}

test('an end is written once more when the try before failed between database and journal', async (t) => {
  const { store, journal, entries } = await site(t)
  const { session } = await signedIn(store)
  const { accountId, sessionId } = session
  journal.fails = true
  await assert.rejects(store.endSession(accountId, sessionId, 'signed-out'), StoreUnavailable)
  journal.fails = false
  assert.equal(await store.endSession(accountId, sessionId, 'ended-by-user'), false)
  const [entry] = entries
  assert.ok(entry?.kind === 'session')
  assert.deepEqual([entry.sessionId, entry.reason], [sessionId, 'signed-out'])
})

test('an end of any age is written once more unless the journal is known to have it', async (t) => {
  const { bare, store, journal, entries } = await site(t)
  const { accountId, sessionId } = (await signedIn(store)).session
  await bare.endSession(accountId, sessionId, 'signed-out')
  const endedAtMs = (await bare.readSession(sessionId))?.session.endedAtMs as number
  journal.coveredToMs = endedAtMs + 1
  await store.endSession(accountId, sessionId, 'signed-out')
  assert.deepEqual(entries, [])
  journal.coveredToMs = endedAtMs
  await store.endSession(accountId, sessionId, 'signed-out')
  assert.deepEqual(entries, [{ kind: 'session', sessionId, reason: 'signed-out', atMs: endedAtMs }])
})

test('a password that is set again writes the ends that the first try may have failed to write', async (t) => {
  const { bare, store, journal, entries } = await site(t)
  const account = await makeAccount(bare)
  const { accountId } = account
  const application = await makeApplication(bare)
  const sessions = [
    await signIn(bare, account, application),
    await signIn(bare, account, application),
    await signIn(bare, account, application),
  ] as const
  await bare.endSession(accountId, sessions[2].sessionId, 'signed-out')
  const endSessions = { reason: 'password-changed', exceptSessionId: sessions[1].sessionId } as const
  journal.fails = true
  await assert.rejects(
    store.changeAccount(accountId, { passwordHash: 'new' }, { endSessions }),
    StoreUnavailable,
  )
  journal.fails = false
  await store.changeAccount(accountId, {}, { keepsPassword: true })
  assert.deepEqual(
    entries.map((entry) => entry.kind === 'session' && [entry.sessionId, entry.reason]),
    [[sessions[0].sessionId, 'password-changed']],
  )
})

test("somebody else's session does not get into the journal, nor one that lives", async (t) => {
  const { store, entries } = await site(t)
  const { session } = await signedIn(store)
  const stranger = await makeAccount(store)
  assert.equal(await store.endSession(stranger.accountId, session.sessionId, 'ended-by-user'), false)
  assert.equal(await store.endSession(stranger.accountId, 'no-such-session', 'ended-by-user'), false)
  assert.deepEqual(entries, [])
})

test('terminating again writes what the first try may have failed to write', async (t) => {
  const { store, journal, entries } = await site(t)
  await makeAccount(store, { roleId: ROLE.superAdmin })
  const account = await makeAccount(store)
  journal.fails = true
  await assert.rejects(
    store.changeAccount(account.accountId, { status: STATUS.terminated }),
    StoreUnavailable,
  )
  journal.fails = false
  await store.changeAccount(account.accountId, { status: STATUS.terminated })
  assert.deepEqual(
    entries.map((entry) => entry.kind === 'account-status' && [entry.accountId, entry.status]),
    [[account.accountId, STATUS.terminated]],
  )
})

test('that an account is active again is in the journal as well', async (t) => {
  const { store, entries } = await site(t)
  const account = await makeAccount(store)
  await store.changeAccount(account.accountId, { status: STATUS.suspended })
  await store.changeAccount(account.accountId, { status: STATUS.active })
  assert.deepEqual(
    entries.map((entry) => entry.kind === 'account-status' && entry.status),
    [STATUS.suspended, STATUS.active],
  )
})

test('an old token that was found out is in the journal although its answer came too late', async (t) => {
  const { bare, journal, entries } = await site(t)
  const application = await makeApplication(bare)
  const session = await signIn(bare, await makeAccount(bare), application)
  const late = journaled(
    {
      ...bare,
      async refreshSession(request) {
        await bare.refreshSession(request)
        throw new StoreUnavailable('the database did not answer in time')
      },
    },
    journal,
  )
  const request = refreshRequest(bare, session, { decide: () => ({ kind: 'end' }) })
  await assert.rejects(late.refreshSession(request), StoreUnavailable)
  assert.deepEqual(
    entries.map((entry) => entry.kind === 'session' && [entry.sessionId, entry.reason]),
    [[session.sessionId, 'reuse']],
  )
})

test('a sign-in that is refused since the journal cannot be written leaves room for the next', async (t) => {
  const { bare, store, journal } = await site(t)
  const application = await makeApplication(bare)
  const account = await makeAccount(bare)
  const cap = { maxLiveSessions: 5 }
  for (let i = 0; i < 5; i++) await signIn(store, account, application, cap)
  const before = await liveIds(bare, account.accountId)
  journal.fails = true
  await assert.rejects(store.openSession(signInRequest(account, application, cap)), StoreUnavailable)
  const left = await liveIds(bare, account.accountId)
  assert.equal(left.length, 4)
  assert.ok(left.every((id) => before.includes(id)))
  const { sessionId } = await signIn(store, account, application, cap)
  assert.deepEqual((await liveIds(bare, account.accountId)).toSorted(), [...left, sessionId].toSorted())
})

test('a key that the journal does not have does not sign', async (t) => {
  const { bare, store, journal } = await site(t)
  journal.fails = true
  const key = {
    kid: 'new',
    purpose: 'refresh',
    algorithm: 'HS256',
    sealed: Buffer.from('sealed'),
    createdAtMs: 1,
    activeAtMs: 1,
    retireAtMs: null,
  } as const
  await assert.rejects(store.addFirstKey(key), StoreUnavailable)
  await assert.rejects(store.rotateKey(key, 1), StoreUnavailable)
  assert.deepEqual(await bare.listKeys(), [])
})

test('that an application is let in again is in the journal, with what ended its sessions', async (t) => {
  const { store, entries } = await site(t)
  const { applicationId, epoch } = await makeApplication(store)
  await store.changeApplication(applicationId, { disabled: true })
  await store.changeApplication(applicationId, { disabled: false })
  await store.changeApplication(applicationId, { idleSeconds: 600 })
  assert.deepEqual(
    entries.map((entry) => entry.kind === 'application' && [entry.disabled, entry.epoch]),
    [
      [true, epoch + 1],
      [false, epoch + 1],
    ],
  )
})

async function liveIds(store: Store, accountId: number): Promise<readonly string[]> {
  const sessions = await store.listSessions(accountId, 100)
  return sessions.filter(({ endedAtMs }) => endedAtMs === null).map(({ sessionId }) => sessionId)
}
