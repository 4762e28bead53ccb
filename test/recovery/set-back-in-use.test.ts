/** A database on PostgreSQL that is set back or recovered while processes use it. On SQLite a lock prevents that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openStore } from '../../src/open-store.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { Store } from '../../src/store/store.ts'
import { ALL, at, recoverSite, signedIn } from './clients.ts'
import { postgresSite } from './site.ts'

test('an instance notices that the database was set back, and serves no session from it', async (t) => {
  await at(postgresSite, async (site) => {
    await signedIn(site)
    await site.save()
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { store } = await openStore(readSettings(site.variables), { longRunning: true })
    try {
      const [session] = await store.listSessions(await site.number('select account_id from accounts'), 1)
      assert.ok(session)
      const { accountId, sessionId } = session
      assert.equal(await store.endSession(accountId, sessionId, 'signed-out'), true)
      await store.check()
      await site.setBack()
      assert.equal(await site.number('select count(*) from sessions where ended_at_ms is null'), 1)

      // The first beats meet the connections that the restore has cut.
      for (let beats = 0; !/set back/.test(await problemOf(store)); beats++) {
        assert.ok(beats < 1000, 'nothing was noticed')
        t.mock.timers.tick(LIMITS.heartbeatMs)
        await turn()
      }
      assert.throws(
        () => store.readSession(sessionId),
        /set back .*: stop the service and run `duktig recover`/,
      )
    } finally {
      t.mock.timers.reset()
      await store.close()
    }
  })
})

test('a recovery is refused while another process is connected', async () => {
  await at(postgresSite, async (site) => {
    await signedIn(site)
    const { store } = await openStore(readSettings(site.variables))
    await assert.rejects(recoverSite(site, ALL), /other processes .* stop all instances and commands first/)
    await store.close()
    const { missing } = await recoverSite(site, ALL)
    assert.deepEqual(missing, [])
  })
})

async function problemOf(store: Store): Promise<string> {
  return store.check().then(
    () => '',
    (error: unknown) => (error as Error).message,
  )
}
