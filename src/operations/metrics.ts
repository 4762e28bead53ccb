/** Figures for Prometheus, on a listener of their own so that the service's port gives nothing away. */
import type { Server } from 'node:http'
import { Counter, Gauge, type Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { SERVER_LIMITS } from '../settings/limits.ts'
import { type ActionCode, REFRESH_RESULTS, type RefreshResult } from '../usecases/events.ts'
import { Durations } from './durations.ts'

export interface Metrics {
  readonly registry: Registry
  observe(route: string, status: number, durationMs: number): void
  action(code: ActionCode): void
  actionsDropped(count: number): void
  refresh(result: RefreshResult): void
}

export function createMetrics(passwordQueue: { readonly waiting: number }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const durations = new Durations()
  registry.registerMetric(durations as unknown as Histogram)
  const actions = new Map<ActionCode, number>()
  counterOf(registry, 'duktig_actions_total', 'Recorded actions.', 'code', actions)
  const dropped = new Counter({
    name: 'duktig_actions_dropped_total',
    help: 'Recorded actions dropped for want of room; security events only if neither store nor disk takes them.',
    registers,
  })
  // All begin at 0: an alert sees no increase in a counter that first appears with the value 1.
  const refreshes = new Map<RefreshResult, number>(REFRESH_RESULTS.map((result) => [result, 0]))
  const help = 'Refreshes by what they came to; "reuse" is a stolen or stale token found out.'
  counterOf(registry, 'duktig_refreshes_total', help, 'result', refreshes)
  new Gauge({
    name: 'duktig_password_hashes_waiting',
    help: 'Sign-ins and password changes that wait for their hash.',
    registers,
    collect() {
      this.set(passwordQueue.waiting)
    },
  })
  return {
    registry,
    observe: (route, status, durationMs) => durations.observe(route, status, durationMs),
    action: (code) => countOne(actions, code),
    actionsDropped: (count) => dropped.inc(count),
    refresh: (result) => countOne(refreshes, result),
  }
}

/** Serves `/metrics` and nothing else. */
export function metricsServer(metrics: Metrics): Server {
  // An `import` of node:http reads all its exports, and so loads the client behind WebSocket: 30 ms and 15 MiB.
  const { createServer } = process.getBuiltinModule('node:http')
  return createServer(SERVER_LIMITS, (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': metrics.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
}

function countOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Reads `counts` when collected: counting in the library would build a string of labels each time. */
function counterOf(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset()
      for (const [value, count] of counts) this.inc({ [label]: value }, count)
    },
  })
}
