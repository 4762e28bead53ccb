/** What a journal says of its database, and what it does not. */
import assert from 'node:assert/strict'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { journalFolder } from '../../src/open-store.ts'
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

/** Writes each line of the site's journal anew. */
function rewrite(site: Site, change: (line: string) => string): void {
  for (const file of globSync(`${journalFolder(readSettings(site.variables))}/*.jsonl`))
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').map(change).join('\n'))
}
