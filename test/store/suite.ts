/** Holds an engine to every sentence of `src/store/store.ts`. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { StoreUnavailable } from '../../src/store/store.ts'
import { accountCases } from './account-cases.ts'
import { actionCases } from './actions-suite.ts'
import { applicationCases } from './application-cases.ts'
import { busyCases } from './busy-cases.ts'
import { changeAccountCases } from './change-account-cases.ts'
import {
  type TestEngine,
  type TestStore,
  makeAccount,
  newAccount,
  refreshRequest,
  signedIn,
} from './engine.ts'
import { guardCases } from './guard-cases.ts'
import { importCases } from './import-cases.ts'
import { keyCases } from './key-cases.ts'
import { openSessionCases } from './open-session-cases.ts'
import { raceCases } from './race-cases.ts'
import { refreshCases } from './refresh-cases.ts'
import { sessionCases } from './session-cases.ts'

/** Registers all cases for one engine. Most share a store; those that need one for themselves open it. */
export function storeSuite(engine: TestEngine): void {
  describe(`the store on ${engine.name}`, () => {
    let opened: TestStore | undefined
    const shared = () => opened as TestStore
    before(async () => {
      opened = await engine.open()
    })
    after(() => opened?.close())

    describe('accounts', () => accountCases(engine, shared))
    describe('changing an account', () => changeAccountCases(engine, shared))
    describe('importing accounts', () => importCases(engine, shared))
    describe('opening a session', () => openSessionCases(shared))
    describe('sessions', () => sessionCases(engine, shared))
    describe('refreshing a session', () => refreshCases(shared))
    describe('more requests than may wait', () => busyCases(shared))
    describe('races', () => raceCases(engine))
    describe('counters of guesses', () => guardCases(shared))
    describe('applications', () => applicationCases(engine, shared))
    describe('signing keys', () => keyCases(engine))
    describe('recorded actions', () => actionCases(engine))
    describe('the store itself', () => storeCases(engine, shared))
  })
}

function storeCases(engine: TestEngine, shared: () => TestStore): void {
  test('a healthy store can be checked, and there is nothing unwise about it', async () => {
    await shared().store.check()
    assert.deepEqual(await shared().store.inspect(), [])
  })

  test('the clock never steps back and says about the time of this machine', () => {
    const { clock } = shared().store
    let lastMs = clock.nowMs()
    assert.ok(Math.abs(lastMs - Date.now()) < 60_000)
    for (let i = 0; i < 10_000; i++) {
      const nowMs = clock.nowMs()
      assert.ok(Number.isInteger(nowMs) && nowMs >= lastMs)
      lastMs = nowMs
    }
  })

  test('what was asked for before closing is done, and after it the store is unavailable', async () => {
    const own = await engine.open()
    try {
      const store = await own.another()
      const { session, account } = await signedIn(store)
      const calls = [
        makeAccount(store, { email: 'last@example.com' }),
        store.endSession(account.accountId, session.sessionId, 'signed-out'),
      ]
      await store.close()
      await Promise.all(calls)
      assert.ok((await own.store.findAccountByEmail('last@example.com')) !== null)
      assert.equal((await own.store.readSession(session.sessionId))?.session.endReason, 'signed-out')
      await assert.rejects(store.createAccount(newAccount()), StoreUnavailable)
      await assert.rejects(store.refreshSession(refreshRequest(own.store, session)), StoreUnavailable)
    } finally {
      await own.close()
    }
  })
}
