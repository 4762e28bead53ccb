/** 64 requests at the same time with one token: one successor, no fault, nobody signed out. */
import { test } from 'node:test'
import { ENGINES, startInstances } from '../support/engines.ts'
import { overHttp } from '../walks/http-transport.ts'
import { useCases } from '../walks/site.ts'
import { raceRounds } from './parallel.ts'

for (const { name, open } of ENGINES) {
  test(`64 parallel refreshes with one token have one successor, on two instances over ${name}`, async (t) => {
    const engine = await open()
    t.after(() => engine.close())
    await raceRounds(engine, useCases(engine.deps), 200)
  })

  test(`64 parallel refreshes with one token have one successor, over HTTP on ${name}`, async (t) => {
    const engine = await open()
    const services = await startInstances(engine)
    t.after(async () => {
      for (const service of new Set(services)) await service.stop()
      await engine.close()
    })
    await raceRounds(engine, overHttp([services[0].address, services[1].address]), 30)
  })
}
