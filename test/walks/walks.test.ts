/**
 * Random walks through the world of the model, on the real stores. Each history has a seed. A failure prints the seed
 * with the steps, and DUKTIG_TEST_SEED plays that history again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshSeed, givenSeed } from '../support/random.ts'
import { httpGrounds, postgresGrounds, sqliteGrounds } from './grounds.ts'
import { playHistories } from './history.ts'

const ROWS = [
  { where: 'on SQLite', open: sqliteGrounds, histories: 1000 },
  { where: 'on PostgreSQL', open: postgresGrounds, histories: 700 },
  { where: 'over HTTP to two instances on one PostgreSQL', open: httpGrounds, histories: 300 },
]

for (const { where, open, histories } of ROWS) {
  test(`no random history ${where} breaks a promise`, async (t) => {
    const seed = givenSeed()
    const firstSeed = seed ?? freshSeed()
    const grounds = await open()
    try {
      const tally = await playHistories(grounds, firstSeed, seed === null ? histories : 1)
      t.diagnostic(`${tally.histories} histories from seed ${firstSeed} on: ${JSON.stringify(tally.kinds)}`)
      // A walk that never meets a case says nothing about it.
      if (seed === null) for (const count of Object.values(tally.kinds)) assert.ok(count > 0)
    } finally {
      await grounds.close()
    }
  })
}
