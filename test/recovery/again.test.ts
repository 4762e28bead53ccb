/** Databases that are restored more than once, and restored ones that lack what only the journal knows. */
import assert from 'node:assert/strict'
import { appendFileSync, cpSync, globSync, renameSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { journalFolder, openEngine } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import {
  ALL,
  at,
  entriesOf,
  reasonOf,
  recoverSite,
  refresh,
  refusesToStart,
  register,
  signIn,
  signedIn,
  withService,
  withStore,
} from './clients.ts'
import { SITES } from './site.ts'

const OLDER = /older than the journal/

for (const [engine, open] of Object.entries(SITES)) {
  describe(`restored again on ${engine}`, () => {
    test('a backup that is restored twice gives no id out twice', async () => {
      await at(open, async (site) => {
        await withService(site, (service) => register(site, service, 'first@example.com'))
        await site.save()
        const registeredAfterIt = async (email: string) => {
          await site.setBack()
          await recoverSite(site, ALL)
          return withService(site, (service) => register(site, service, email))
        }
        const bob = await registeredAfterIt('bob@example.com')
        const eve = await registeredAfterIt('eve@example.com')
        assert.ok(eve > bob, `${eve} after ${bob}`)
      })
    })

    test('what a recovery ended for want of journals stays ended when they are found', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        await site.save()
        const folder = journalFolder(readSettings(site.variables))
        renameSync(folder, `${folder}.away`)
        await site.setBack()
        assert.equal((await recoverSite(site, ALL)).endedAll, true)
        assert.equal(await reasonOf(site, token), 'store-restored')
        cpSync(`${folder}.away`, folder, { recursive: true })
        await site.setBack()
        const again = await recoverSite(site, { ...ALL, reviveEnded: true })
        assert.deepEqual([again.endedAll, again.endedEarlier], [true, true])
        assert.equal(await reasonOf(site, token), 'store-restored')
      })
    })

    test('a session that was opened after a recovery outlives the next one', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        await site.save()
        const folder = journalFolder(readSettings(site.variables))
        renameSync(folder, `${folder}.away`)
        await site.setBack()
        assert.equal((await recoverSite(site, ALL)).endedAll, true)
        const token = await withService(site, (service) => signIn(service, 'ani@example.com'))
        await site.save()
        await site.setBack()
        const again = await recoverSite(site, ALL)
        assert.deepEqual([again.endedAll, again.endedEarlier], [false, false])
        await withService(site, async (service) => assert.equal((await refresh(service, token)).status, 200))
        assert.deepEqual(
          (await entriesOf(site)).filter(({ kind }) => kind === 'session'),
          [],
          'whom the recovery ended no start counts as missing',
        )
      })
    })

    test('a journal that is gone is not taken for one in which nothing ended', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        const folder = journalFolder(readSettings(site.variables))
        renameSync(folder, `${folder}.away`)
        await refusesToStart(site, /journal of this instance is gone/)
        await recoverSite(site, ALL)
        await withService(site, async () => {})
        const recoveries = await site.number(
          "select count(*) from user_actions where code = 'Store->recovered'",
        )
        assert.equal(recoveries, 1, 'and the audit trail tells of it')
      })
    })

    test('an end that the journal misses, since the process was killed before it, is written by the next start', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        await site.save()
        const settings = readSettings(site.variables)
        const { store } = await openEngine(settings)
        const accountId = await site.number('select account_id from accounts')
        assert.equal((await store.endSessions(accountId, 'ended-by-administrator')).length, 1)
        await store.close()
        const ends = async () => (await entriesOf(site)).filter(({ kind }) => kind === 'session').length
        assert.equal(await ends(), 0)
        // A command that writes into the journal does not make it complete.
        await withStore(site, (other) => other.changeApplication(1, { disabled: false }))
        await withService(site, async () => {})
        await withService(site, async () => {})
        assert.equal(await ends(), 1, 'once, and not by each start')
        await site.setBack()
        await refusesToStart(site, OLDER)
        assert.equal((await recoverSite(site, ALL)).endedAll, false)
        assert.equal(await reasonOf(site, token), 'ended-by-administrator')
      })
    })

    test('a recovery that cannot read its journals to the end has done nothing', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        const { store } = await openEngine(readSettings(site.variables))
        const endsAll = { kind: 'account-sessions', exceptSessionId: null, sessionIds: [] } as const
        const accountId = await site.number('select account_id from accounts')
        const cut = {
          *[Symbol.iterator]() {
            yield { ...endsAll, accountId, reason: 'ended-by-user', atMs: Date.now() } as const
            throw new Error('the disk is broken')
          },
        }
        const options = { endAll: false, givenIds: await store.givenIds(), writes: new Map() }
        await assert.rejects(store.recover(cut, options), /the disk is broken/)
        await store.close()
        await withService(site, async (service) => assert.equal((await refresh(service, token)).status, 200))
      })
    })

    test('with a damaged journal all sessions end, and the service starts again', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        await site.save()
        const settings = readSettings(site.variables)
        const [file = ''] = globSync(`${journalFolder(settings)}/*.jsonl`)
        appendFileSync(file, 'half a line')
        await withService(site, (service) => signIn(service, 'ani@example.com'))
        appendFileSync(file, ', and one more\n')
        await site.setBack()
        const { missing, damaged, endedAll } = await recoverSite(site, ALL)
        assert.deepEqual([missing.length, damaged, endedAll], [1, [resolve(file)], true])
        assert.equal(await reasonOf(site, token), 'store-restored')
      })
    })

    test('all sessions of an account end again, also one that a clock opened which was ahead', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        await site.sql('update sessions set created_at_ms = created_at_ms + 3600000')
        await site.save()
        await withStore(site, async (store) => {
          const accountId = await site.number('select account_id from accounts')
          assert.equal((await store.endSessions(accountId, 'ended-by-administrator')).length, 1)
        })
        await site.setBack()
        assert.equal((await recoverSite(site, ALL)).endedAll, false)
        assert.equal(await reasonOf(site, token), 'ended-by-administrator')
      })
    })

    test('an application that was let in again before the backup stays in, with its sessions', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        await withStore(site, async (store) => {
          await store.changeApplication(1, { disabled: true })
          await store.changeApplication(1, { disabled: false })
        })
        const token = await withService(site, (service) => signIn(service, 'ani@example.com'))
        await site.save()
        await site.setBack()
        await recoverSite(site, ALL)
        await withService(site, async (service) => {
          assert.equal((await refresh(service, token)).status, 200)
          await signIn(service, 'ani@example.com')
        })
      })
    })

    test('an application that was disabled after the backup is disabled, or let in, as it was last', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        await site.save()
        await withStore(site, async (store) => {
          await store.changeApplication(1, { disabled: true })
          await store.changeApplication(1, { disabled: false })
        })
        await site.setBack()
        await recoverSite(site, ALL)
        assert.equal(await reasonOf(site, token), 'application-disabled')
        await withService(site, (service) => signIn(service, 'ani@example.com'))
        await withStore(site, (store) => store.changeApplication(1, { disabled: true }))
        await site.setBack()
        await recoverSite(site, ALL)
        await withStore(site, async (store) => assert.equal((await store.findApplication(1))?.disabled, true))
      })
    })

    test('an entry of a clock that was ahead keeps no service from starting once it is taken over', async () => {
      await at(open, async (site) => {
        const token = await signedIn(site)
        const folder = journalFolder(readSettings(site.variables))
        const [file = ''] = globSync(`${folder}/*.jsonl`)
        const ahead = {
          kind: 'session',
          sessionId: 'another',
          reason: 'signed-out',
          atMs: Date.now() + 3_600_000,
          write: 1000,
        }
        appendFileSync(file, `${JSON.stringify(ahead)}\n`)
        await refusesToStart(site, OLDER)
        assert.equal((await recoverSite(site, ALL)).endedAll, false)
        await withService(site, async () => {})
        await withService(site, async (service) => assert.equal((await refresh(service, token)).status, 200))
      })
    })
  })
}
