import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_WAITING } from '../../src/store/postgres/batches.ts'
import { MOST_AT_ONCE } from '../../src/store/sqlite/connection.ts'
import { LONGER_BY_MS, REFUSING_MS, SHORT_TURN_MS, TURN_MS } from '../../src/store/sqlite/turn.ts'
import { StoreBusy } from '../../src/store/store-busy.ts'
import { type TestStore, refreshRequest, signedIn } from './engine.ts'

/** Cases with more requests at a time than may wait for the store. */
export function busyCases(shared: () => TestStore): void {
  for (const verb of ['refreshSession', 'readSession'] as const) {
    const asking = async () => {
      const { store } = shared()
      const { session } = await signedIn(store)
      const ask = () =>
        verb === 'refreshSession'
          ? store.refreshSession(refreshRequest(store, session))
          : store.readSession(session.sessionId)
      return { ask, most: store.engine === 'sqlite' ? MOST_AT_ONCE : MOST_WAITING }
    }

    test(`${verb}: so many wait and are served, more are refused at once, and then all goes on`, async () => {
      const { ask, most } = await asking()
      await unlessHeldUp(TURN_MS + REFUSING_MS, () => {
        const startMs = performance.now()
        const waiting = [ask()]
        // After this time, a turn of SQLite accepts one more group and refuses the rest.
        while (performance.now() - startMs < TURN_MS);
        for (let i = 1; i < most; i++) waiting.push(ask())
        const served = Promise.all(waiting)
        const refused = Promise.allSettled(Array.from({ length: 100 }, ask))
        return async () => {
          assert.equal((await served).length, most)
          for (const { status, reason } of (await refused) as PromiseRejectedResult[])
            assert.ok(status === 'rejected' && reason instanceof StoreBusy)
        }
      })
      assert.ok(await ask())
    })

    test(`${verb}: a crowd that asks in one moment is served, beyond the first group while there is time`, async () => {
      const { ask, most } = await asking()
      // After a turn that refused, as in the previous test, turns are short; those that refuse nobody grow again.
      for (let lastsMs = SHORT_TURN_MS; lastsMs < TURN_MS; lastsMs += LONGER_BY_MS) await ask()
      await unlessHeldUp(TURN_MS, () => {
        const outcomes = Promise.allSettled(Array.from({ length: 2 * most }, ask))
        return async () => {
          const served = (await outcomes).filter(({ status }) => status === 'fulfilled')
          // SQLite carries a full group out at once; with PostgreSQL, the answers have to be awaited.
          const least = shared().store.engine === 'sqlite' ? most + 1 : most
          assert.ok(served.length >= least, `${served.length} were served`)
        }
      })
    })
  }
}

/** Asks and checks the outcome. If asking took `mostMs` or longer, because the machine was busy, it tries again. */
async function unlessHeldUp(mostMs: number, ask: () => () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const startMs = performance.now()
    const check = ask()
    if (performance.now() - startMs < mostMs || tries === 20) return check()
    await check().catch(() => {})
  }
}
