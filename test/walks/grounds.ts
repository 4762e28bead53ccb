/** The places where histories are played: each engine under the use cases, and HTTP to two instances. */
import { type Engine, openPostgresEngine, openSqliteEngine, startInstances } from '../support/engines.ts'
import { makeApplication } from '../support/opened-session.ts'
import type { Grounds } from './history.ts'
import { overHttp } from './http-transport.ts'
import { EXACT, ROUGH } from './plan.ts'
import { type Transport, openSite, useCases } from './site.ts'

export async function sqliteGrounds(): Promise<Grounds> {
  const engine = await openSqliteEngine()
  // One history at a time: all histories share the engine's clock.
  return groundsOn(engine, useCases(engine.deps), { name: 'SQLite', timing: EXACT, lanes: 1 })
}

export async function postgresGrounds(): Promise<Grounds> {
  const engine = await openPostgresEngine()
  return groundsOn(engine, useCases(engine.deps), { name: 'PostgreSQL', timing: ROUGH, lanes: 12 })
}

/** Two services on one PostgreSQL; administrators act beside them, as the command line does. */
export async function httpGrounds(): Promise<Grounds> {
  const engine = await openPostgresEngine()
  const services = await startInstances(engine)
  const transport = overHttp([services[0].address, services[1].address])
  const grounds = await groundsOn(engine, transport, {
    name: 'two instances over HTTP',
    timing: ROUGH,
    lanes: 8,
  })
  return {
    ...grounds,
    async close() {
      for (const service of services) await service.stop()
      await grounds.close()
    },
  }
}

export async function groundsOn(
  engine: Engine,
  transport: Transport,
  facts: Pick<Grounds, 'name' | 'timing' | 'lanes'>,
): Promise<Grounds> {
  const { key } = await makeApplication(engine.deps[0])
  return {
    ...facts,
    open: (policy) => openSite(engine, transport, key, policy),
    close: () => engine.close(),
  }
}
