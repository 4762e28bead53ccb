/** The application that the settings describe. */
import { DEFAULT_APPLICATION_ID } from './core/application.ts'
import { SettingsError } from './settings/read-settings.ts'
import type { Settings } from './settings/settings.ts'
import type { ApplicationStore, NewApplication } from './store/store.ts'
import { hashApplicationKey, newApplicationKey } from './tokens/application-key.ts'

interface Opened {
  /** The key, if one had to be made; it is shown once. */
  readonly newKey: string | null
  /** Whether the key of the settings has taken the place of others. */
  readonly replacesKeys: boolean
}

/**
 * Makes the default application what the settings say, at the start of the service and at no other time: a command in
 * another terminal may have other settings.
 * @throws {SettingsError} when the key of the settings opens another application
 */
export async function ensureDefaultApplication(settings: Settings, store: ApplicationStore): Promise<Opened> {
  const application = defaultApplication(settings)
  if (settings.authKey !== null) {
    const keyHash = hashApplicationKey(settings.authKey)
    const isNew = (await store.findApplicationByKey(keyHash)) === null
    const replacesKeys = isNew && (await store.findApplication(DEFAULT_APPLICATION_ID)) !== null
    if ((await store.putDefaultApplication(application, keyHash)) === null)
      throw new SettingsError([
        'DUKTIG_AUTH_KEY is the key of another application already; choose another one',
      ])
    return { newKey: null, replacesKeys }
  }
  if ((await store.findApplication(DEFAULT_APPLICATION_ID)) === null) {
    const key = newApplicationKey()
    // If not, another instance that started at the same moment made it, and shows its key.
    if (await store.addDefaultApplication(application, hashApplicationKey(key)))
      return { newKey: key, replacesKeys: false }
  }
  const { clientId: _clientId, type: _type, ...change } = application
  await store.changeApplication(DEFAULT_APPLICATION_ID, change)
  return { newKey: null, replacesKeys: false }
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
