/** The service under measurement: its own process on its own core, over a seeded store. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compose } from '../../src/compose.ts'
import { openStore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { type Population, populationOf } from './population.ts'
import { SERVER_CORE, startOn, stop } from './processes.ts'
import { seed } from './seed.ts'
import { TapeMaker } from './tape.ts'

const root = process.env['DUKTIG_BENCH_ROOT'] ?? fileURLToPath(new URL('../..', import.meta.url))

export const AUTH_KEY = 'benchmark-application-key'

export interface Site {
  readonly variables: Readonly<Record<string, string>>
  readonly deps: Pick<Deps, 'keys' | 'names'>
  readonly population: Population
  readonly tapes: TapeMaker
}

export interface Running {
  readonly child: ChildProcess
  readonly port: number
  readonly metricsPort: number
  stop(): Promise<void>
}

/** Prepares a seeded store: on PostgreSQL if `databaseUrl` is given, otherwise on SQLite in `folder`. */
export async function prepareSite(
  folder: string,
  sessions: number,
  databaseUrl: string | null,
): Promise<Site> {
  const variables = {
    DUKTIG_DATA_DIR: folder,
    DUKTIG_AUTH_KEY: AUTH_KEY,
    DUKTIG_ISSUER: 'http://duktig.bench',
    DUKTIG_REFRESH_ROTATION: 'on',
    ...(databaseUrl === null ? {} : { DUKTIG_DATABASE_URL: databaseUrl }),
    // All load comes from one address, so limits per address would be all that is measured.
    DUKTIG_RATE_LIMITS: 'off',
  }
  const settings = readSettings(variables)
  const { store } = await openStore(settings)
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const { deps } = await compose(settings, store, silent)
  await store.close()
  const population = populationOf(sessions)
  await seed(settings, population, deps.keys.signer('refresh').kid)
  return { variables, deps, population, tapes: new TapeMaker(deps, population, folder) }
}

/** Starts the service by its launcher, as users do. */
export async function startDuktig(site: Site, nodeFlags: readonly string[] = []): Promise<Running> {
  const port = await freePort()
  const metricsPort = await freePort()
  const ports = { DUKTIG_PORT: String(port), DUKTIG_METRICS_PORT: String(metricsPort) }
  const child = startOn(process.execPath, [...nodeFlags, join(root, 'bin/duktig'), 'serve'], {
    core: SERVER_CORE,
    env: { PATH: process.env['PATH'], ...site.variables, ...ports },
    // A folder in which the `.env` of the checkout is not read.
    cwd: site.variables['DUKTIG_DATA_DIR'] as string,
  })
  await answering(`http://127.0.0.1:${port}/system/ping`, child)
  return { child, port, metricsPort, stop: () => stop(child) }
}

export async function startBaseline(): Promise<Omit<Running, 'metricsPort'>> {
  const port = await freePort()
  const script = fileURLToPath(new URL('baseline.ts', import.meta.url))
  const child = startOn(process.execPath, [script], { core: SERVER_CORE, env: { PORT: String(port) } })
  await answering(`http://127.0.0.1:${port}/`, child)
  return { child, port, stop: () => stop(child) }
}

/** Waits for the first answer with a status below 500. Returns the milliseconds that took. */
export async function answering(url: string, child: ChildProcess, withinMs = 30_000): Promise<number> {
  const startedMs = performance.now()
  while (performance.now() - startedMs < withinMs) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`)
    try {
      const response = await fetch(url)
      await response.arrayBuffer()
      if (response.status < 500) return performance.now() - startedMs
    } catch {
      await sleep(2)
    }
  }
  throw new Error(`${url} does not answer`)
}

/** Reads one of the service's metrics, such as `duktig_refreshes_total{result="advanced"}`; 0 when absent. */
export async function metric(running: Running, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${running.metricsPort}/metrics`)).text()
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
