/** What a journal proves about its database, and what it does not. */
import assert from 'node:assert/strict'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { journalFolder } from '../../src/open-store.ts'
import { recoverStore } from '../../src/recover-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { ALL, at, recoverSite, refresh, signIn, signedIn, withService, withStore } from './clients.ts'
import { SITES, type Site } from './site.ts'

for (const [engine, open] of Object.entries(SITES)) {
  describe(`a journal on ${engine}`, () => {
    test('that is older than the backup vouches for nothing', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        const folder = journalFolder(readSettings(site.variables))
        cpSync(folder, `${folder}.old`, { recursive: true })
        const accountId = await site.number('select account_id from accounts')
        await withStore(site, (store) => store.endSessions(accountId, 'ended-by-administrator'))
        await site.save()
        rmSync(folder, { recursive: true })
        cpSync(`${folder}.old`, folder, { recursive: true })
        await site.setBack()
        const { missing, endedAll } = await recoverSite(site, ALL)
        assert.deepEqual([missing.length, endedAll], [1, true])
      })
    })

    test('of which one file of a process is gone vouches for nothing before the next', async () => {
      await at(open, async (site) => {
        const folder = journalFolder(readSettings(site.variables))
        const token = await signedIn(site)
        const accountId = await site.number('select account_id from accounts')
        await site.save()
        await withStore(site, (store) => store.endSessions(accountId, 'ended-by-administrator'))
        const [end = ''] = globSync(`${folder}/*.jsonl`).filter((file) =>
          readFileSync(file, 'utf8').includes('account-sessions'),
        )
        const [header = ''] = readFileSync(end, 'utf8').split('\n')
        // The file with which the same process continues the next day.
        const next = end.replace(/\/\d+-/, `/${Date.now()}-`).replace('-0.jsonl', '-1.jsonl')
        writeFileSync(next, `${header}\n`)
        rmSync(end)
        await site.setBack()
        assert.equal((await recoverSite(site, ALL)).endedAll, true)
        await withService(site, async (service) => assert.equal((await refresh(service, token)).status, 401))
      })
    })

    test('that is missing, though all were said to be given, stops the recovery before it changes anything', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        await site.save()
        rmSync(journalFolder(readSettings(site.variables)), { recursive: true })
        await site.setBack()
        const recovering = recoverSite(site, { ...ALL, demandsAll: true })
        await assert.rejects(recovering, /not all journals, and nothing was changed\. .*--end-all-sessions/)
        assert.equal(await site.number('select count(*) from sessions where ended_at_ms is null'), 1)
        assert.equal((await recoverSite(site, { ...ALL, endAll: true })).endedAll, true)
      })
    })

    test('that is damaged is not healed by an older copy beside it', async () => {
      await at(open, async (site) => {
        const settings = readSettings(site.variables)
        const folder = journalFolder(settings)
        await signedIn(site)
        cpSync(folder, `${folder}.copy`, { recursive: true })
        const accountId = await site.number('select account_id from accounts')
        await site.save()
        await withStore(site, (store) => store.endSessions(accountId, 'ended-by-administrator'))
        rewrite(site, (line) => (line.includes('account-sessions') ? `${line.slice(9)}\n{}` : line))
        await site.setBack()
        const { endedAll } = await recoverStore(settings, { ...ALL, journalFolders: [`${folder}.copy`] })
        assert.equal(endedAll, true)
      })
    })

    test('of another database is refused where it is named', async () => {
      await at(open, async (site) => {
        await at(open, async (other) => {
          await signedIn(site)
          await signedIn(other)
          const named = { ...ALL, journalFolders: [journalFolder(readSettings(other.variables))] }
          await assert.rejects(recoverStore(readSettings(site.variables), named), /about another database/)
        })
      })
    })

    test('whose clock was ahead does not end what was opened after it and is in the backup', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        const accountId = await site.number('select account_id from accounts')
        await withStore(site, (store) => store.endSessions(accountId, 'ended-by-administrator'))
        rewrite(site, (line) =>
          line.includes('"account-sessions"')
            ? line.replace(/"atMs":\d+/, `"atMs":${Date.now() + 3_600_000}`)
            : line,
        )
        const token = await withService(site, (service) => signIn(service, 'ani@example.com'))
        await site.save()
        await site.setBack()
        assert.equal((await recoverSite(site, ALL)).endedAll, false)
        await withService(site, async (service) => assert.equal((await refresh(service, token)).status, 200))
      })
    })

    test('does not bring a key back that was removed before the backup', async () => {
      await at(open, async (site) => {
        await signedIn(site)
        await site.sql("delete from signing_keys where purpose = 'refresh'")
        await site.sql('update instances set last_seen_at_ms = last_seen_at_ms + 3600000')
        await site.save()
        await site.setBack()
        await recoverSite(site, ALL)
        assert.equal(await site.number("select count(*) from signing_keys where purpose = 'refresh'"), 0)
      })
    })
  })
}

test('a data folder that was one of SQLite serves a new PostgreSQL database', async () => {
  await at(SITES['PostgreSQL'] as () => Promise<Site>, async (site) => {
    const { DUKTIG_DATABASE_URL: _, ...onSqlite } = site.variables
    await withStore({ ...site, variables: onSqlite }, (store) =>
      store
        .changeApplication(1, { disabled: false })
        .then(() => store.endSessions(1, 'ended-by-administrator')),
    )
    await signedIn(site)
    const accountId = await site.number('select account_id from accounts')
    await site.save()
    await withStore(site, (store) => store.endSessions(accountId, 'ended-by-administrator'))
    await site.setBack()
    assert.equal((await recoverSite(site, ALL)).endedAll, false)
    await withService(site, async () => {})
  })
})

/** Rewrites each line of the site's journal. */
function rewrite(site: Site, change: (line: string) => string): void {
  for (const file of globSync(`${journalFolder(readSettings(site.variables))}/*.jsonl`))
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').map(change).join('\n'))
}
