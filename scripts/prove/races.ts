/** 10,000 rounds of 64 parallel refreshes with one token, on each engine. */
import { ENGINES } from '../../test/support/engines.ts'
import { progress, shareOf } from '../../test/support/prove.ts'
import { raceRounds } from '../../test/races/parallel.ts'
import { useCases } from '../../test/walks/site.ts'

const ROUNDS = 10_000

for (const { name, open } of ENGINES) {
  const count = shareOf(ROUNDS)
  const engine = await open()
  try {
    await raceRounds(engine, useCases(engine.deps), count, progress(`rounds on ${name}`, count))
  } finally {
    await engine.close()
  }
}
