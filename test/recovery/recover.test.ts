/** A database that is restored from a backup: what ended since then stays ended, and nobody else is signed out. */
import assert from 'node:assert/strict'
import { chmodSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { journalFolder } from '../../src/open-store.ts'
import type { Service } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { sendJson } from '../support/raw-http.ts'
import { recoverSite, refresh, refusesToStart, register, signIn, withService } from './clients.ts'
import { SITES, type Site, sqliteSite } from './site.ts'

test('a backup of SQLite, and what is restored from one that others may read, is for its owner alone', async () => {
  const site = await sqliteSite()
  try {
    await history(site)
    const { dataDir } = readSettings(site.variables)
    const copy = join(dirname(dataDir), 'backup.sqlite')
    assert.equal(statSync(copy).mode & 0o777, 0o600)
    chmodSync(copy, 0o644)
    await site.setBack()
    assert.equal(statSync(join(dataDir, 'duktig.sqlite')).mode & 0o777, 0o600)
  } finally {
    await site.remove()
  }
})

const OLDER = /older than the journal/

for (const [engine, open] of Object.entries(SITES)) {
  describe(`recovery on ${engine}`, () => {
    test('with the journals, ends stay, rotated clients go on, and ids are not given out twice', async () => {
      const site = await open()
      try {
        const before = await history(site)
        await refusesToStart(site, OLDER)
        const recovered = await recoverSite(site, { endAll: false, reviveEnded: false })
        assert.deepEqual([recovered.missing, recovered.endedAll], [[], false])
        await withService(site, async (service) => {
          const rotated = await refresh(service, before.rotated)
          assert.equal(rotated.status, 200, JSON.stringify(rotated.body))
          const signedOut = await refresh(service, before.signedOut)
          assert.equal(signedOut.status, 401)
          assert.equal(signedOut.headers['x-session-end-reason'], 'signed-out')
          assert.equal((await refresh(service, before.suspended)).status, 403)
          const changed = await refresh(service, before.changed)
          assert.equal(changed.headers['x-session-end-reason'], 'password-changed')
          assert.ok((await register(site, service, 'late@example.com')) > before.lastUserId)
        })
      } finally {
        await site.remove()
      }
    })

    test('a later generation is kept while others may be on their way, and advances afterwards', async () => {
      const site = await open()
      try {
        const { rotated } = await history(site)
        await recoverSite(site, { endAll: false, reviveEnded: false })
        await withService(site, async (service) => {
          const kept = await refresh(service, rotated)
          assert.deepEqual([kept.status, kept.body['refresh_token']], [200, undefined])
          await site.sql('update sessions set handed_out_at_ms = handed_out_at_ms - 20000')
          const advanced = await refresh(service, rotated)
          assert.equal(advanced.status, 200)
          assert.equal(typeof advanced.body['refresh_token'], 'string')
          assert.notEqual(advanced.body['refresh_token'], rotated)
        })
      } finally {
        await site.remove()
      }
    })

    test('the time that was lost counts as no rest, and who had rested too long before stays out', async () => {
      const site = await open()
      site.variables['DUKTIG_SESSION_IDLE_SECONDS'] = '600'
      try {
        const before = await history(site)
        // The backup is two hours old, and one of its sessions had not been used for an hour.
        await site.sql('update instances set last_seen_at_ms = last_seen_at_ms - 7200000')
        await site.sql('update sessions set last_used_at_ms = last_used_at_ms - 7200000')
        await site.sql(
          `update sessions set last_used_at_ms = last_used_at_ms - 3600000
           where account_id = (select account_id from accounts where email = 'rested@example.com')`,
        )
        // The journal begins after the backup, so it is incomplete, and the operator has to accept that.
        await recoverSite(site, { endAll: false, reviveEnded: true })
        await withService(site, async (service) => {
          assert.equal((await refresh(service, before.rotated)).status, 200)
          const rested = await refresh(service, before.rested)
          assert.equal(rested.status, 401)
          assert.equal(rested.headers['x-session-end-reason'], 'idle')
        })
      } finally {
        await site.remove()
      }
    })

    test('without complete journals all sessions end', async () => {
      const site = await open()
      try {
        const before = await history(site)
        rmSync(journalFolder(readSettings(site.variables)), { recursive: true })
        const recovered = await recoverSite(site, { endAll: false, reviveEnded: false })
        assert.equal(recovered.missing.length, 1)
        assert.equal(recovered.endedAll, true)
        await withService(site, async (service) => {
          const answer = await refresh(service, before.rotated)
          assert.equal(answer.status, 401)
          assert.equal(answer.headers['x-session-end-reason'], 'store-restored')
        })
      } finally {
        await site.remove()
      }
    })

    test('an operator may accept in so many words that ended sessions come back', async () => {
      const site = await open()
      try {
        const before = await history(site)
        rmSync(journalFolder(readSettings(site.variables)), { recursive: true })
        const recovered = await recoverSite(site, { endAll: false, reviveEnded: true })
        assert.equal(recovered.endedAll, false)
        await withService(site, async (service) => {
          assert.equal((await refresh(service, before.rotated)).status, 200)
          assert.equal((await refresh(service, before.signedOut)).status, 200)
        })
      } finally {
        await site.remove()
      }
    })

    test('an operator may have all sessions end, whatever the journals say', async () => {
      const site = await open()
      try {
        const before = await history(site)
        const recovered = await recoverSite(site, { endAll: true, reviveEnded: false })
        assert.deepEqual([recovered.missing, recovered.endedAll], [[], true])
        await withService(site, async (service) => {
          const answer = await refresh(service, before.rotated)
          assert.equal(answer.headers['x-session-end-reason'], 'store-restored')
        })
      } finally {
        await site.remove()
      }
    })
  })
}

/**
 * Opens sessions, saves a copy, ends and rotates sessions, puts the copy back. Returns the tokens that clients hold.
 */
async function history(site: Site) {
  const tokens: Record<string, string> = {}
  await withService(site, async (service) => {
    for (const name of ['rotated', 'signedOut', 'suspended', 'changed', 'rested']) {
      await register(site, service, `${name}@example.com`)
      await site.sql('update accounts set status = 1')
      tokens[name] = await signIn(service, `${name}@example.com`)
    }
    await site.sql('update sessions set handed_out_at_ms = 1, rotated_at_ms = 1')
  })
  await site.save()
  let lastUserId = 0
  await withService(site, async (service) => {
    const rotated = await refresh(service, tokens['rotated'] as string)
    tokens['rotated'] = rotated.body['refresh_token'] as string
    assert.ok(tokens['rotated'] !== undefined)
    const out = await sendJson(service.address, 'DELETE', '/auth/token', {
      'Refresh-Token': tokens['signedOut'] as string,
    })
    assert.equal(out.status, 200)
    await administer(site, service)
    lastUserId = await register(site, service, 'lost@example.com')
  })
  await site.setBack()
  const { rotated = '', signedOut = '', suspended = '', changed = '', rested = '' } = tokens
  return { rotated, signedOut, suspended, changed, rested, lastUserId }
}

/** Suspends one account and gives another a new password, as a super admin does. */
async function administer(site: Site, service: Service): Promise<void> {
  await register(site, service, 'root@example.com')
  await site.sql("update accounts set status = 1, role_id = 1 where email = 'root@example.com'")
  const headers = { 'Access-Token': await signIn(service, 'root@example.com', 'access_token') }
  const accounts = await sendJson(service.address, 'GET', '/users?offset=0&limit=100', headers)
  const idOf = (email: string) =>
    (accounts.body as unknown as { email: string; userId: number }[]).find((a) => a.email === email)?.userId
  const patch = (email: string, change: object) =>
    sendJson(service.address, 'PATCH', `/users/${idOf(email)}`, headers, change)
  assert.equal((await patch('suspended@example.com', { status: 2 })).status, 200)
  assert.equal((await patch('changed@example.com', { password: 'another1password' })).status, 200)
}
