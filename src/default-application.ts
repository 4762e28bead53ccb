/** The application that the settings describe. */
import { DEFAULT_APPLICATION_ID } from './core/application.ts'
import { SettingsError } from './settings/read-settings.ts'
import type { Settings } from './settings/settings.ts'
import type { ApplicationStore, NewApplication } from './store/store.ts'
import { hashApplicationKey, newApplicationKey } from './tokens/application-key.ts'

interface EnsuredApplication {
  /** The key, if one had to be made; it is shown once. */
  readonly newKey: string | null
  /** How many other keys the key in the settings has replaced. */
  readonly replacedKeys: number
}

/**
 * Creates the default application or changes it to what the settings say. Only a start of the service does this,
 * because a command in another terminal may have other settings.
 * @throws {SettingsError} when the key in the settings belongs to another application
 */
export async function ensureDefaultApplication(
  settings: Settings,
  store: ApplicationStore,
): Promise<EnsuredApplication> {
  const application = defaultApplication(settings)
  if (settings.authKey !== null) {
    const keyHash = hashApplicationKey(settings.authKey)
    const put = await store.putDefaultApplication(application, keyHash)
    if (put === null)
      throw new SettingsError([
        'DUKTIG_AUTH_KEY is the key of another application already; choose another one',
      ])
    return { newKey: null, replacedKeys: put.replacedKeys }
  }
  if ((await store.findApplication(DEFAULT_APPLICATION_ID)) === null) {
    const key = newApplicationKey()
    // If it was there after all, another instance that started at the same moment has created it and shows its key.
    if (await store.addDefaultApplication(application, hashApplicationKey(key)))
      return { newKey: key, replacedKeys: 0 }
  }
  const { clientId: _clientId, type: _type, ...change } = application
  await store.changeApplication(DEFAULT_APPLICATION_ID, change)
  return { newKey: null, replacedKeys: 0 }
}

function defaultApplication(settings: Settings): NewApplication {
  return {
    clientId: 'default',
    name: 'Default application',
    type: 'confidential',
    trustedBackend: false,
    rotation: settings.refreshRotation,
    parallelWindowSeconds: settings.refreshParallelWindowSeconds,
    retryWindowSeconds: settings.refreshRetryWindowSeconds,
    idleSeconds: settings.sessionIdleSeconds,
    sessionTtlSeconds: settings.refreshTokenTtlSeconds,
    accessTokenTtlSeconds: settings.accessTokenTtlSeconds,
    requireKeyOnRefresh: false,
  }
}
