/** Runs the service: store, keys, faces, listeners; and stops it without cutting off a request. */
import type { Server } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { type Composed, compose } from './compose.ts'
import { ensureDefaultApplication } from './default-application.ts'
import { createDateFormat } from './core/dates.ts'
import {
  CHALLENGE_HEADER,
  MAINTENANCE,
  NOT_FOUND,
  REASON_HEADER,
  UNAVAILABLE,
  denialAnswer,
} from './http/duktig/denials.ts'
import type { Face } from './http/duktig/face.ts'
import { faultAnswer } from './http/duktig/faults.ts'
import { duktigRoutes } from './http/duktig/routes.ts'
import { DEVICE_HEADER } from './http/duktig/sign-in.ts'
import { OPEN_GATE, createFloodGate } from './http/flood-gate.ts'
import { healthRoutes } from './http/health.ts'
import { keySetRoute } from './http/key-set.ts'
import { type Place, listenOnAll } from './http/listen.ts'
import { referenceRoutes } from './http/reference.ts'
import type { HttpRoute } from './http/route.ts'
import { createServer } from './http/server.ts'
import { type Log, createLog } from './operations/log.ts'
import { type Metrics, metricsServer } from './operations/metrics.ts'
import { startUpkeep } from './operations/upkeep.ts'
import { openStore } from './open-store.ts'
import { LIMITS } from './settings/limits.ts'
import { policyDoubt } from './settings/policy.ts'
import { POLICY_NAMES } from './settings/read-settings.ts'
import { SETTINGS, type Settings } from './settings/settings.ts'
import { hasNoAccount } from './usecases/has-no-account.ts'
import { VERSION } from './version.ts'

export interface Service {
  /** Where the service listens, such as `http://127.0.0.1:8088`. */
  readonly address: string
  readonly metricsAddress: string
  /** Whether there is no account yet, so that nobody can sign in. */
  readonly hasNoAccount: boolean
  /** After the shutdown delay, takes no new connections, answers the requests it has accepted, and closes the store. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly log?: Log
  /**
   * Given the default application's key as soon as it is durable, if this start creates it: no later start shows the key
   * again, even when this one fails after that.
   */
  readonly showKey?: (key: string) => void
}

/**
 * Starts the service.
 * @throws {CannotListen} when it cannot listen; others when the store cannot be opened. Nothing is left running then.
 */
export async function startService(
  settings: Settings,
  { log = createLog(settings.logLevel), showKey = () => {} }: StartOptions = {},
): Promise<Service> {
  const { store } = await openStore(settings, { longRunning: true })
  let composed: Composed | null = null
  try {
    const { newKey, replacedKeys } = await ensureDefaultApplication(settings, store)
    if (newKey !== null) showKey(newKey)
    // Logged at once: if this start fails later, the next one has nothing to replace and logs nothing.
    if (replacedKeys > 0)
      log.warn(
        { event: 'keys-replaced', replacedKeys },
        'DUKTIG_AUTH_KEY opens the default application now, and the keys that opened it before do not any more',
      )
    composed = await compose(settings, store, log)
    await composed.deps.keys.retireOtherAlgorithms()
    const { sessionIdleSeconds: idleSeconds, accessTokenTtlSeconds } = settings
    const doubt = policyDoubt({ idleSeconds, accessTokenTtlSeconds }, POLICY_NAMES)
    if (doubt !== null) composed.log.warn({ event: 'settings' }, doubt)
    for (const problem of await store.inspect()) composed.log.warn({ event: 'store' }, problem)
    const isEmpty = await hasNoAccount(store)
    return { ...(await listen(settings, composed)), hasNoAccount: isEmpty }
  } catch (error) {
    await composed?.recorder.stop()
    await store.close()
    throw error
  }
}

async function listen(
  settings: Settings,
  composed: Composed,
): Promise<Pick<Service, 'address' | 'metricsAddress' | 'stop'>> {
  const { deps, metrics, log, refused, recorder } = composed
  let draining = false
  const server = await createServer({
    routes: allRoutes(settings, composed, () => draining),
    maintenance: settings.maintenance ? MAINTENANCE : null,
    notFound: NOT_FOUND,
    busy: UNAVAILABLE,
    floodGate: settings.rateLimits ? createFloodGate() : OPEN_GATE,
    tooMany: (retryAfterSeconds) => denialAnswer({ denied: 'too-many-attempts', retryAfterSeconds }),
    fault: (error, route) => faultAnswer(error, route, settings.mode, log),
    isDraining: () => draining,
    observe: observer(metrics, log, settings.slowRequestMs),
    trustedProxies: settings.trustedProxies ?? [],
    corsOrigins: settings.corsOrigins ?? [],
    corsHeaders: corsHeaders(settings),
  })
  const metricsListener = metricsServer(metrics)
  try {
    await listenOnAll([
      [server, placeOf(settings, 'host', 'port')],
      [metricsListener, placeOf(settings, 'metricsHost', 'metricsPort')],
    ])
  } catch (error) {
    await Promise.all([server, metricsListener].map(drain))
    throw error
  }
  metricsListener.unref()
  const stopUpkeep = startUpkeep(deps, log, recorder)
  void recorder.takeOver()
  return {
    address: addressOf(server),
    metricsAddress: `${addressOf(metricsListener)}/metrics`,
    async stop() {
      draining = true
      log.info({ event: 'stopping' }, 'The service answers what it has accepted, and stops')
      await wait(settings.shutdownDelaySeconds * 1000)
      stopUpkeep()
      await drain(server)
      metricsListener.close()
      metricsListener.closeAllConnections()
      refused.stop()
      await recorder.stop()
      await deps.store.close()
      log.info({ event: 'stopped' }, 'The service has stopped')
    },
  }
}

function allRoutes(settings: Settings, { deps }: Composed, isDraining: () => boolean): readonly HttpRoute[] {
  const face: Face = {
    deps,
    dates: createDateFormat(settings.timeZone),
    renamed: {
      'X-Auth-Key': settings.authKeyHeader,
      'Access-Token': settings.accessTokenHeader,
      'Refresh-Token': settings.refreshTokenHeader,
    },
    headers: {
      authKey: settings.authKeyHeader.toLowerCase(),
      accessToken: settings.accessTokenHeader.toLowerCase(),
      refreshToken: settings.refreshTokenHeader.toLowerCase(),
    },
  }
  const health = healthRoutes(() => deps.store.check(), isDraining)
  const routes = [...duktigRoutes(face), keySetRoute(deps.keys), ...health]
  const { authKeyHeader, accessTokenHeader } = settings
  return [...routes, ...referenceRoutes(routes, { version: VERSION, authKeyHeader, accessTokenHeader })]
}

/** Counts every request, but logs only slow ones: a line for each would cost a good part of the throughput. */
function observer(metrics: Metrics, log: Log, slowMs: number): Metrics['observe'] {
  return (route, status, durationMs) => {
    metrics.observe(route, status, durationMs)
    if (durationMs < slowMs) return
    log.warn(
      { event: 'slow-request', route, status, durationMs: Math.round(durationMs) },
      'A request was slow',
    )
  }
}

function corsHeaders(settings: Settings): { allowed: readonly string[]; exposed: readonly string[] } {
  const { authKeyHeader, accessTokenHeader, refreshTokenHeader } = settings
  return {
    allowed: [
      authKeyHeader,
      accessTokenHeader,
      refreshTokenHeader,
      'X-Refresh-Token',
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'X-Device-Id',
      DEVICE_HEADER,
    ],
    exposed: [REASON_HEADER, DEVICE_HEADER, CHALLENGE_HEADER, 'Retry-After'],
  }
}

/** Waits for requests under way, at most `LIMITS.drainMs`, and closes connections as soon as they are idle. */
async function drain(server: Server): Promise<void> {
  const deadline = setTimeout(() => server.closeAllConnections(), LIMITS.drainMs)
  const resting = setInterval(() => server.closeIdleConnections(), LIMITS.drainCheckMs)
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(deadline)
  clearInterval(resting)
}

function placeOf(settings: Settings, host: 'host' | 'metricsHost', port: 'port' | 'metricsPort'): Place {
  return {
    host: settings[host],
    port: settings[port],
    hostVariable: SETTINGS[host].variable,
    portVariable: SETTINGS[port].variable,
  }
}

function addressOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('the server is not listening on a port')
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
