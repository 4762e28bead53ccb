/** 10,000 lost answers on each engine, half of them with attempt keys. */
import { ENGINES } from '../../test/support/engines.ts'
import { progress, shareOf } from '../../test/support/prove.ts'
import { freshSeed, givenSeed } from '../../test/support/random.ts'
import { loseReplies } from '../../test/races/lost-replies.ts'

const LOST = 5_000

for (const { name, open } of ENGINES) {
  for (const withKey of [true, false]) {
    const count = shareOf(LOST)
    const seed = givenSeed() ?? freshSeed()
    process.stdout.write(`seed ${seed}\n`)
    const engine = await open()
    try {
      const what = `lost answers on ${name} ${withKey ? 'with' : 'without'} attempt key`
      await loseReplies(engine, { withKey, count, seed }, progress(what, count))
    } finally {
      await engine.close()
    }
  }
}
