import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ensureDefaultApplication } from '../src/default-application.ts'
import { SettingsError, readSettings } from '../src/settings/read-settings.ts'
import { hashApplicationKey } from '../src/tokens/application-key.ts'
import { newApplication } from './store/engine.ts'
import { openBeside, startTestService } from './support/service.ts'

test('a key that opens another application already is refused at the start, with what to do', async () => {
  const service = await startTestService()
  const { deps, close } = await openBeside(service)
  try {
    const key = 'the-key-of-another-application'
    await deps.store.createApplication(newApplication(), hashApplicationKey(key))
    const settings = readSettings({ ...service.variables, DUKTIG_AUTH_KEY: key })
    await assert.rejects(ensureDefaultApplication(settings, deps.store), (error) => {
      assert.ok(error instanceof SettingsError)
      assert.match(error.message, /DUKTIG_AUTH_KEY is the key of another application/)
      return true
    })
  } finally {
    await close()
    await service.stop()
  }
})
