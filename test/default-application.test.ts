import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ensureDefaultApplication } from '../src/default-application.ts'
import { SettingsError, readSettings } from '../src/settings/read-settings.ts'
import { hashApplicationKey } from '../src/tokens/application-key.ts'
import { newApplication } from './store/engine.ts'
import { AUTH_KEY, openBeside, startTestService } from './support/service.ts'

test('a key that opens another application already is refused at the start, with what to do, and nothing is changed', async () => {
  const service = await startTestService()
  const { deps, close } = await openBeside(service)
  try {
    const key = 'the-key-of-another-application'
    const other = await deps.store.createApplication(newApplication(), hashApplicationKey(key))
    assert.ok(other !== 'client-id-taken')
    const before = await deps.store.findApplication(1)
    const settings = readSettings({ ...service.variables, DUKTIG_AUTH_KEY: key })
    await assert.rejects(ensureDefaultApplication(settings, deps.store), (error) => {
      assert.ok(error instanceof SettingsError)
      assert.match(error.message, /DUKTIG_AUTH_KEY is the key of another application/)
      return true
    })
    assert.deepEqual(await deps.store.findApplication(1), before)
    assert.equal((await deps.store.findApplicationByKey(hashApplicationKey(AUTH_KEY)))?.applicationId, 1)
    // An expired key still belongs to the other application.
    await deps.store.addApplicationKey(other.applicationId, hashApplicationKey('its next key'), 0)
    assert.equal(await deps.store.findApplicationByKey(hashApplicationKey(key)), null)
    await assert.rejects(ensureDefaultApplication(settings, deps.store), SettingsError)
    assert.equal((await deps.store.findApplicationByKey(hashApplicationKey(AUTH_KEY)))?.applicationId, 1)
  } finally {
    await close()
    await service.stop()
  }
})
