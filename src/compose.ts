/** Puts store, keys and use cases together from the settings; for the service and for the command line alike. */
import { join } from 'node:path'
import { type AccountStatus } from './core/account.ts'
import { DEFAULT_APPLICATION_ID } from './core/application.ts'
import { createClock } from './operations/clock.ts'
import { createEvents } from './operations/events.ts'
import { type Log } from './operations/log.ts'
import { type Metrics, createMetrics } from './operations/metrics.ts'
import { ensureDataDir, masterSecret } from './operations/secrets.ts'
import { createDecoys } from './passwords/decoys.ts'
import { createPasswordPolicy } from './passwords/policy.ts'
import { createPasswords } from './passwords/passwords.ts'
import { LIMITS } from './settings/limits.ts'
import type { Settings } from './settings/settings.ts'
import type { NewApplication, OpenedStore, Store } from './store/store.ts'
import { hashApplicationKey, newApplicationKey } from './tokens/application-key.ts'
import { KeyRing } from './tokens/key-ring.ts'
import { createSealer } from './tokens/seal.ts'
import type { Deps } from './usecases/deps.ts'

export interface Composed {
  readonly deps: Deps
  readonly metrics: Metrics
  /** The default application's key, when this start made it; to be shown once. */
  readonly newKey: string | null
}

/** Opens the store that the settings name, with its schema up to date; `longRunning` for the service itself. */
export async function openStore(settings: Settings, longRunning = false): Promise<OpenedStore> {
  ensureDataDir(settings.dataDir)
  if (settings.databaseUrl !== null) {
    const { openPostgres } = await import('./store/postgres/open.ts')
    return openPostgres(settings.databaseUrl)
  }
  const { openSqlite } = await import('./store/sqlite/open.ts')
  return openSqlite(join(settings.dataDir, 'duktig.sqlite'), createClock(), { longRunning })
}

/** Everything the use cases need. The store is the caller's to close, also when this fails. */
export async function compose(settings: Settings, store: Store, log: Log): Promise<Composed> {
  const secret = masterSecret(settings.dataDir, settings.secret)
  const sealer = createSealer(secret)
  const keys = await KeyRing.load(store, store.clock, sealer, settings.accessTokenAlg)
  const newKey = await ensureDefaultApplication(settings, store)
  const passwords = createPasswords()
  const decoys = createDecoys(secret)
  decoys.learn(await store.samplePasswordHashes(LIMITS.hashesSampled))
  const metrics = createMetrics(passwords.queue)
  const deps: Deps = {
    store,
    keys,
    passwords,
    names: {
      issuer: settings.issuer ?? `http://${settings.host}:${settings.port}`,
      audience: settings.audience,
    },
    events: createEvents(log, metrics),
    decoys,
    passwordPolicy: createPasswordPolicy(settings.passwordMinLength),
    rateLimits: settings.rateLimits,
    registrationStatus: Number(settings.registrationStatus) as AccountStatus,
  }
  return { deps, metrics, newKey }
}

/** Makes the default application what the settings say; the key if one had to be made. */
async function ensureDefaultApplication(settings: Settings, store: Store): Promise<string | null> {
  const application = defaultApplication(settings)
  if (settings.authKey !== null) {
    await store.putDefaultApplication(application, hashApplicationKey(settings.authKey))
    return null
  }
  if ((await store.findApplication(DEFAULT_APPLICATION_ID)) === null) {
    const key = newApplicationKey()
    const created = await store.createApplication(application, hashApplicationKey(key))
    // Taken: another instance that started at the same moment made it, and shows its key.
    if (created !== 'client-id-taken') return key
  }
  const { clientId: _clientId, type: _type, ...change } = application
  await store.changeApplication(DEFAULT_APPLICATION_ID, change)
  return null
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
