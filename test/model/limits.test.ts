/** Where the promises end: each limit, which operators and authors of clients have to know, with its shortest story. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore, told } from './explore.ts'
import { REAL_RULES, type Rules } from './rules.ts'
import type { Size, World } from './world.ts'

const OWNER = { tabs: 2, D: 1, G: 3, W: 9, timed: true } as const

interface Row {
  readonly sentence: string
  readonly size: Size
  readonly rules?: Rules
}

const ROWS: readonly Row[] = [
  {
    sentence: 'two tabs with different keys for one token sign each other out',
    size: { ...OWNER, keys: 'own' },
  },
  {
    sentence:
      'without keys, a request that the network delivers twice may rotate when nobody listens any more',
    size: { ...OWNER, keys: 'none', duplicates: true },
  },
  {
    sentence: 'without keys, an answer must come within W - D of the first try',
    size: { ...OWNER, keys: 'none', answeredWithin: OWNER.W },
  },
  {
    sentence: 'a request and a reply that take G together let a token overtake its predecessor',
    size: { ...OWNER, keys: 'stored', replyD: 2 },
  },
  {
    sentence: 'a fail-over that loses rotations, and that nobody recovers from, can end the session',
    size: { ...OWNER, keys: 'stored', restores: 1 },
    rules: { ...REAL_RULES, recover: (row) => row },
  },
]

for (const { sentence, size, rules = REAL_RULES } of ROWS) {
  test(`known limit: ${sentence}`, (t) => {
    const { violation } = explore(size, { rules })
    t.diagnostic(violation === null ? 'no violation' : told(violation.trace))
    assert.match(violation?.broken ?? '', /^L1/)
  })
}

test('with keys, a request that is delivered twice harms nobody', () => {
  assert.equal(explore({ ...OWNER, keys: 'stored', duplicates: true }).violation, null)
})

const RESTORED: Size = { ...OWNER, keys: 'stored', restores: 1 }

test('known limit: a thief and a restore can make two different tokens of one generation', (t) => {
  const size: Size = { ...RESTORED, timed: false, tabs: 1, G: 1, W: 2, lootSize: 1 }
  const { violation } = explore(size, { lookFor: twins })
  t.diagnostic(told(violation?.trace ?? []))
  assert.equal(violation?.broken, 'twins')
})

test('where the owner is alone the current generation exists once, also after a restore', () => {
  assert.equal(explore(RESTORED, { lookFor: twins }).violation, null)
})

/** Two tokens of the current generation, minted before and after the restore: `iat` differs. */
function twins({ storage, loot }: World): string | null {
  const current = [storage, ...loot].filter((token) => token.g === 0)
  return new Set(current.map((token) => token.line)).size > 1 ? 'twins' : null
}
