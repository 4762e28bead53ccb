/** 100,000 random histories on the real stores; `DUKTIG_TEST_SEED` replaces the fresh seed that they start from. */
import { progress, shareOf } from '../../test/support/prove.ts'
import { freshSeed, givenSeed } from '../../test/support/random.ts'
import { httpGrounds, postgresGrounds, sqliteGrounds } from '../../test/walks/grounds.ts'
import { playHistories } from '../../test/walks/history.ts'

const ROWS = [
  { open: sqliteGrounds, histories: 80_000 },
  { open: postgresGrounds, histories: 15_000 },
  { open: httpGrounds, histories: 5_000 },
]

for (const { open, histories } of ROWS) {
  const count = shareOf(histories)
  const seed = givenSeed() ?? freshSeed()
  const grounds = await open()
  try {
    process.stdout.write(`${count} histories on ${grounds.name} from seed ${seed} on\n`)
    const { kinds } = await playHistories(grounds, seed, count, progress(grounds.name, count))
    process.stdout.write(`${JSON.stringify(kinds)}\n`)
  } finally {
    await grounds.close()
  }
}
