/** Figures for Prometheus, on a listener of their own so that the service's port gives nothing away. */
import type { Server } from 'node:http'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { type ActionCode, REFRESH_RESULTS, type RefreshResult } from '../usecases/events.ts'

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
  const duration = new Histogram({
    name: 'duktig_http_request_duration_seconds',
    help: 'Time from the routed request to its answer.',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  })
  const actions = new Counter({
    name: 'duktig_actions_total',
    help: 'Recorded actions.',
    labelNames: ['code'],
    registers,
  })
  const dropped = new Counter({
    name: 'duktig_actions_dropped_total',
    help: 'Recorded actions dropped for want of room; security events only if neither store nor disk takes them.',
    registers,
  })
  const refreshes = new Counter({
    name: 'duktig_refreshes_total',
    help: 'Refreshes by what they came to; "reuse" is a stolen or stale token found out.',
    labelNames: ['result'],
    registers,
  })
  // All from 0 on: of a figure that appears with 1 an alarm sees no rise.
  for (const result of REFRESH_RESULTS) refreshes.inc({ result }, 0)
  new Gauge({
    name: 'duktig_password_hashes_waiting',
    help: 'Sign-ins and password changes that wait for their hash.',
    registers,
    collect() {
      this.set(passwordQueue.waiting)
    },
  })
  const durations = remembered((route: string) =>
    remembered((status: number) => duration.labels({ route, status })),
  )
  const actionsBy = remembered((code: ActionCode) => actions.labels({ code }))
  const refreshesBy = remembered((result: RefreshResult) => refreshes.labels({ result }))
  return {
    registry,
    observe: (route, status, durationMs) => durations(route)(status).observe(durationMs / 1000),
    action: (code) => actionsBy(code).inc(),
    actionsDropped: (count) => dropped.inc(count),
    refresh: (result) => refreshesBy(result).inc(),
  }
}

/** Serves `/metrics` and nothing else. */
export function metricsServer(metrics: Metrics): Server {
  // An `import` of node:http asks for all its exports, and so loads the client behind WebSocket: 30 ms and 15 MiB.
  const { createServer } = process.getBuiltinModule('node:http')
  return createServer((request, response) => {
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

/** Looking a labelled child up costs more than counting with it. */
function remembered<K, T>(make: (key: K) => T): (key: K) => T {
  const known = new Map<K, T>()
  return (key) => {
    let value = known.get(key)
    if (value === undefined) {
      value = make(key)
      known.set(key, value)
    }
    return value
  }
}
