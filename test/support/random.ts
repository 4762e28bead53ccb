/** Random choices that are repeatable with a seed. */
export interface Random {
  /** At least 0 and below 1. */
  next(): number
  below(count: number): number
  chance(probability: number): boolean
  pick<T>(values: readonly T[]): T
}

/** Mulberry32: small, and more than good enough to choose steps. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(values) {
      if (values.length === 0) throw new Error('there is nothing to pick from')
      return values[below(values.length)] as (typeof values)[number]
    },
  }
}

/** The seed that `DUKTIG_TEST_SEED` names, to run one case again; null when it is not set. */
export function givenSeed(): number | null {
  const given = process.env['DUKTIG_TEST_SEED'] ?? ''
  return given === '' ? null : Number(given)
}

/** A new seed for each run. The caller prints it, so that the run can be repeated. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 1_000_000_000)
}
