/** Puts store, keys and use cases together from the settings; for the service and for the command line alike. */
import { isIPv6 } from 'node:net'
import { type AccountStatus } from './core/account.ts'
import { createDateFormat } from './core/dates.ts'
import { ActionRecorder } from './operations/action-recorder.ts'
import { createEvents } from './operations/events.ts'
import { LogTallies, countedLog } from './operations/log-tally.ts'
import { type Log } from './operations/log.ts'
import { type Metrics, createMetrics } from './operations/metrics.ts'
import { masterSecret } from './operations/secrets.ts'
import { type RefusedCredentials, refusedCredentials } from './operations/refused-credentials.ts'
import { createDecoys } from './passwords/decoys.ts'
import { createPasswordPolicy } from './passwords/policy.ts'
import { createPasswords } from './passwords/passwords.ts'
import { DAY_MS, LIMITS } from './settings/limits.ts'
import type { Settings } from './settings/settings.ts'
import type { Store } from './store/store.ts'
import { KeyRing } from './tokens/key-ring.ts'
import type { LegacyKeys } from './tokens/legacy-refresh-token.ts'
import { createSealer } from './tokens/seal.ts'
import type { Deps } from './usecases/deps.ts'
import { sampleHashes } from './usecases/sample-hashes.ts'

export interface Composed {
  readonly deps: Deps
  readonly metrics: Metrics
  /** The log; it also counts its lines. */
  readonly log: Log
  /** To be stopped once no more requests arrive. */
  readonly refused: RefusedCredentials
  /** To be stopped after that, before the store is closed. */
  readonly recorder: ActionRecorder
}

/**
 * Composes everything the use cases need. The caller closes the store, even when this fails. Commands pass
 * `KeyRing.read`, which adds no first keys.
 */
export async function compose(
  settings: Settings,
  store: Store,
  givenLog: Log,
  loadKeys: typeof KeyRing.load = KeyRing.load,
): Promise<Composed> {
  const hasKeys = (await store.listKeys()).length > 0
  const secret = masterSecret(settings.dataDir, settings.secret, hasKeys)
  const sealer = createSealer(secret)
  const keys = await loadKeys(store, store.clock, sealer, settings.accessTokenAlg)
  const passwords = createPasswords()
  const decoys = createDecoys(secret)
  decoys.learn(await sampleHashes(store, LIMITS.hashesSampled))
  const metrics = createMetrics(passwords.queue)
  const { log, recorder } = createRecorder(settings, store, givenLog, metrics)
  const refused = refusedCredentials(log)
  const deps: Deps = {
    store,
    keys,
    passwords,
    names: {
      issuer:
        settings.issuer ??
        `http://${isIPv6(settings.host) ? `[${settings.host}]` : settings.host}:${settings.port}`,
      audience: settings.audience,
    },
    events: createEvents(log, metrics, recorder, refused),
    decoys,
    passwordPolicy: createPasswordPolicy(settings.passwordMinLength),
    rateLimits: settings.rateLimits,
    legacy: legacyKeys(settings),
    registrationStatus: Number(settings.registrationStatus) as AccountStatus,
    actionRetentionMs: settings.actionRetentionDays * DAY_MS,
  }
  return { deps, metrics, log, refused, recorder }
}

/** Log and recorder need each other: the recorder writes warnings to the log, and stores the counts of its lines. */
function createRecorder(
  settings: Settings,
  store: Store,
  given: Log,
  metrics: Metrics,
): Pick<Composed, 'log' | 'recorder'> {
  const { clock } = store
  const tallies = new LogTallies(clock, createDateFormat(settings.timeZone), () => recorder.logged())
  const log = countedLog(given, settings.logLevel, tallies)
  const folder = settings.dataDir
  const dropped = metrics.actionsDropped
  const recorder = new ActionRecorder({ store, clock, folder, log, tallies, dropped })
  return { log, recorder }
}

function legacyKeys({ legacyRefreshSecret, legacyAccountKey }: Settings): LegacyKeys | null {
  if (legacyRefreshSecret === null || legacyAccountKey === null) return null
  return { refreshSecret: legacyRefreshSecret, accountKey: legacyAccountKey }
}
