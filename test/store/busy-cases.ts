import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_WAITING, StoreBusy } from '../../src/store/store-busy.ts'
import { type TestStore, refreshRequest, signedIn } from './engine.ts'

/** More requests at a time than may wait for the store. */
export function busyCases(shared: () => TestStore): void {
  const MANY = MOST_WAITING + 100
  for (const verb of ['refreshSession', 'readSession'] as const) {
    test(`${verb}: so many wait and are served, more are refused at once, and then all goes on`, async () => {
      const { store } = shared()
      const { session } = await signedIn(store)
      const ask = () =>
        verb === 'refreshSession'
          ? store.refreshSession(refreshRequest(store, session))
          : store.readSession(session.sessionId)
      const outcomes = await Promise.allSettled(Array.from({ length: MANY }, ask))
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
      assert.ok(refused.every(({ reason }) => reason instanceof StoreBusy))
      assert.equal(refused.length, MANY - MOST_WAITING)
      assert.ok(await ask())
    })
  }
}
