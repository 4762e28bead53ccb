import type { Store } from '../store/store.ts'

/** Each round finds out more about which ids nobody has; the first suffices unless there are large gaps. */
const ROUNDS = 8

/** Ids that nobody has, from one id up to the next account's. */
interface Gap {
  readonly from: number
  readonly accountId: number
}

/**
 * The password hashes of about `count` accounts, spread evenly over all accounts. Looks at evenly spread ids. Recovery
 * and imports leave gaps of a million ids, and most of the looks would end at the account after such a gap. So looks
 * that miss by far are not counted, and where they were the majority, others are spread over the ids outside of gaps.
 */
export async function sampleHashes(
  store: Pick<Store, 'greatestAccountId' | 'passwordHashesFrom'>,
  count: number,
): Promise<readonly string[]> {
  const greatest = await store.greatestAccountId()
  if (greatest === 0) return []
  const gaps = new Map<number, Gap>()
  for (let round = 1; ; round++) {
    const known = [...gaps.values()].sort((a, b) => a.from - b.from)
    const ids = known.reduce((left, { from, accountId }) => left - (accountId - from), greatest)
    const found = await store.passwordHashesFrom(spread(count, ids, known))
    const near = found.filter(({ from, accountId }) => accountId - from <= ids / count)
    if (near.length >= count / 2 || round === ROUNDS) return near.map(({ passwordHash }) => passwordHash)
    for (const { from, accountId } of found) {
      const before = gaps.get(accountId)?.from ?? from
      gaps.set(accountId, { from: Math.min(from, before), accountId })
    }
  }
}

/** `count` ids, spread evenly over `ids` of them that are in no gap. `gaps` are in the order of their ids. */
function spread(count: number, ids: number, gaps: readonly Gap[]): readonly number[] {
  return Array.from({ length: count }, (_, i) => {
    let id = 1 + Math.floor((i * ids) / count)
    for (const { from, accountId } of gaps) if (id >= from) id += accountId - from
    return id
  })
}
