/** What kind of history a seed makes: who is in the world, and what may happen to them. */
import type { Random } from '../support/random.ts'
import type { Policy } from './site.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND

/** The bounds that an owner keeps to, with room for the time that passes by itself on a clock that tests cannot set. */
export interface Timing {
  readonly parallelMs: number
  readonly retryMs: number
  /** Bound on the time from reading the storage to the decision, and on that from the decision to the storage. */
  readonly wayMs: number
  /** Bound on the time from the first try to an answer, without attempt keys. */
  readonly patienceMs: number
  /** By how much a known age may be off. */
  readonly slackMs: number
}

/** Exact to the millisecond, with `G` just more than `2 D`. */
export const EXACT = boundsOf(20 * SECOND, 60 * SECOND, 9_999, 0)
/** Windows long enough that the time a test really takes does not matter. */
export const ROUGH = boundsOf(400 * SECOND, 1200 * SECOND, 170 * SECOND, 30 * SECOND)

function boundsOf(parallelMs: number, retryMs: number, wayMs: number, slackMs: number): Timing {
  return { parallelMs, retryMs, wayMs, patienceMs: retryMs - 3 * wayMs - slackMs, slackMs }
}

export interface Plan {
  readonly timing: Timing
  readonly policy: Policy
  readonly steps: number
  readonly tabs: number
  /** One key for each stored token, kept beside it; or none at all. */
  readonly keys: boolean
  /** The owner is alone and keeps to his bounds: then nobody is ever refused. */
  readonly honest: boolean
  readonly second: boolean
  readonly thief: boolean
  readonly administrator: boolean
  readonly duplicates: boolean
  readonly restores: number
}

export function drawPlan(random: Random, timing: Timing): Plan {
  const honest = random.chance(0.45)
  const keys = random.chance(0.5)
  const some = (probability: number) => !honest && random.chance(probability)
  return {
    timing,
    policy: drawPolicy(random, timing, honest),
    steps: honest ? 30 + random.below(60) : 15 + random.below(30),
    // Little can go wrong for an owner who is alone with one tab.
    tabs: honest && random.chance(0.9) ? 2 + random.below(2) : 1 + random.below(3),
    keys,
    honest,
    second: some(0.3),
    thief: some(0.7),
    administrator: some(0.4),
    // Without keys, a request that the network delivers twice may rotate when no client awaits the answer any more.
    duplicates: keys || !honest,
    restores: random.chance(0.4) ? (honest && !keys ? 1 : 1 + random.below(2)) : 0,
  }
}

function drawPolicy(random: Random, { parallelMs, retryMs }: Timing, honest: boolean): Policy {
  const short = !honest && random.chance(0.2)
  return {
    rotation: random.chance(0.9),
    parallelMs,
    retryMs,
    idleMs: !honest && random.chance(0.2) ? 5 * retryMs : 0,
    ttlMs: short ? 10 * retryMs : 3650 * DAY,
  }
}

/** How long to wait: mostly close to the windows, where mistakes are likely, and now and then for a day. */
export function drawWait(random: Random, { parallelMs, retryMs, slackMs }: Timing): number {
  const near = slackMs === 0 ? 1 : 2 * slackMs
  const edges = [parallelMs, retryMs].flatMap((edge) => [edge - near, edge + near])
  const exact = slackMs === 0 ? [parallelMs, retryMs] : []
  return random.pick([
    ...edges,
    ...exact,
    SECOND,
    Math.floor(random.next() * parallelMs),
    Math.floor(random.next() * retryMs),
    2 * retryMs,
    random.chance(0.2) ? DAY : parallelMs + near,
  ])
}
