/** A key that was added after the backup has signed tokens that clients hold: recovery brings it back. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compose } from '../../src/compose.ts'
import { openStore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { KeyPurpose } from '../../src/store/store.ts'
import { rotateKey } from '../../src/usecases/rotate-key.ts'
import { sendJson } from '../support/raw-http.ts'
import { silentLog } from '../support/service.ts'
import { ALL, recoverSite, refresh, register, signIn, withService } from './clients.ts'
import { SITES, type Site } from './site.ts'

for (const [engine, open] of Object.entries(SITES)) {
  describe(`keys on ${engine}`, () => {
    test('tokens of keys that were added after the backup stay good', async () => {
      const site = await open()
      try {
        const token = await withService(site, async (service) => {
          await register(site, service, 'ani@example.com')
          await site.sql('update accounts set status = 1')
          return signIn(service, 'ani@example.com')
        })
        await site.sql('update sessions set handed_out_at_ms = 1, rotated_at_ms = 1')
        await site.save()
        const kids = [await addKey(site, 'refresh'), await addKey(site, 'access')]
        const after = await withService(site, (service) => refresh(service, token))
        const newer = after.body['refresh_token'] as string
        const access = after.body['access_token'] as string
        assert.deepEqual([kidOf(newer), kidOf(access)], kids, 'the new keys sign')
        await site.setBack()
        await recoverSite(site, ALL)
        await withService(site, async (service) => {
          const user = await sendJson(service.address, 'GET', '/user', { 'Access-Token': access })
          assert.equal(user.status, 200, JSON.stringify(user.body))
          assert.equal((await refresh(service, newer)).status, 200)
        })
      } finally {
        await site.remove()
      }
    })
  })
}

/** Adds a key as the command does, except that the key signs at once. */
async function addKey(site: Site, purpose: KeyPurpose): Promise<string> {
  const settings = readSettings(site.variables)
  const { store } = await openStore(settings)
  try {
    const { deps, recorder } = await compose(settings, store, silentLog)
    const { kid } = await rotateKey(deps, purpose)
    await recorder.stop()
    const activeAtMs = `case kid when '${kid}' then 2 else 1 end`
    await site.sql(`update signing_keys set active_at_ms = ${activeAtMs} where purpose = '${purpose}'`)
    return kid
  } finally {
    await store.close()
  }
}

function kidOf(token: string): string {
  const [header = ''] = token.split('.')
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid
}
