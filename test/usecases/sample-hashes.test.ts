/** Decoys follow a sample of the accounts' hashes, so the sample has to show the mixture that the accounts have. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sampleHashes } from '../../src/usecases/sample-hashes.ts'
import { ENGINES } from '../support/engines.ts'

const COUNT = 256
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** The ids of accounts, and the hash of each, which is nothing but the name of its kind. */
const MIXTURES: readonly (readonly [
  name: string,
  ids: readonly number[],
  kinds: (id: number) => 'many' | 'few',
])[] = [
  ['ids without a gap', range(1, 1000), (id) => (id % 4 === 0 ? 'few' : 'many')],
  ['fewer accounts than are looked at', range(1, 8), (id) => (id % 4 === 0 ? 'few' : 'many')],
  [
    'one account after a gap of a million',
    [...range(1, 400), 1_000_401],
    (id) => (id > 300 ? 'few' : 'many'),
  ],
  [
    'gaps of recoveries, of several lengths',
    [...range(1, 300), ...range(1_000_301, 1_000_350), ...range(9_000_000, 9_000_050)],
    (id) => (id > 300 ? 'few' : 'many'),
  ],
  ['scattered ids', range(1, 400).map((i) => i * 977), (id) => (id % 4 === 0 ? 'few' : 'many')],
  [
    'scattered ids before a gap',
    [...range(1, 400).map((i) => i * 977), 90_000_000],
    (id) => (id % 4 === 0 ? 'few' : 'many'),
  ],
]

for (const { name, open } of ENGINES) {
  describe(`hashes sampled on ${name}`, () => {
    test('of no accounts are none', async () => {
      const engine = await open()
      try {
        assert.deepEqual(await sampleHashes(engine.deps[0].store, COUNT), [])
      } finally {
        await engine.close()
      }
    })

    for (const [what, ids, kindOf] of MIXTURES) {
      test(`show the mixture of kinds: ${what}`, async () => {
        const engine = await open()
        try {
          const { store } = engine.deps[0]
          await store.importAccounts(
            ids.map((accountId) => ({
              ...PERSON,
              accountId,
              email: `person-${accountId}@example.com`,
              passwordHash: kindOf(accountId),
            })),
          )
          const shareOf = (kinds: readonly string[]) =>
            kinds.filter((kind) => kind === 'few').length / kinds.length
          const sample = await sampleHashes(store, COUNT)
          assert.ok(sample.length >= COUNT / 2 && sample.length <= COUNT, `${sample.length}`)
          const [sampled, real] = [shareOf(sample), shareOf(ids.map(kindOf))]
          assert.ok(Math.abs(sampled - real) < 0.1, `${sampled} of the sample, ${real} of the accounts`)
        } finally {
          await engine.close()
        }
      })
    }
  })
}

const PERSON = {
  firstName: 'Ani',
  lastName: 'Sarkis',
  phone: '37411223344',
  comment: null,
  roleId: 4,
  status: 1,
  registeredAtMs: null,
  updatedAtMs: null,
  lastSignInAtMs: null,
} as const
