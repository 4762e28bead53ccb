/** Plays one history from its seed, and many of them one after the other or side by side. */
import { createRandom } from '../support/random.ts'
import { examineDead, examineLiving, examineSibling } from './ends.ts'
import type { Kind } from './ledger.ts'
import { movesOf, pickMove } from './moves.ts'
import { arrival, deliver } from './owner.ts'
import { type Timing, drawPlan } from './plan.ts'
import { type Scene, openScene, present, tell } from './scene.ts'
import type { Policy, Site } from './site.ts'

/** Where histories are played. */
export interface Grounds {
  readonly name: string
  readonly timing: Timing
  /** How many histories may be played at the same time. */
  readonly lanes: number
  open(policy: Policy): Promise<Site>
  close(): Promise<void>
}

/** @throws with the seed and the steps when a promise is broken */
export async function playHistory(grounds: Grounds, seed: number): Promise<readonly Kind[]> {
  const random = createRandom(seed)
  const plan = drawPlan(random, grounds.timing)
  const site = await grounds.open(plan.policy)
  const scene = await openScene(random, plan, site)
  try {
    await play(scene)
    return scene.ledger.kinds
  } catch (error) {
    throw new Error(report(grounds, seed, scene, error), { cause: error })
  }
}

async function play(scene: Scene): Promise<void> {
  const { ledger, plan, accessTokens } = scene
  for (let step = 0; step < plan.steps && ledger.over === null; step++) {
    const known = accessTokens.length
    await pickMove(scene, movesOf(scene)).run()
    await examineLiving(scene, accessTokens[known])
  }
  if (ledger.over !== null) await examineDead(scene)
  else if (plan.honest) await lastTry(scene)
  await examineSibling(scene)
}

/** The honest owner refreshes once more with what the storage holds: it still works. */
async function lastTry(scene: Scene): Promise<void> {
  const [tab] = scene.clients
  if (tab === undefined) return
  tab.message = { ...scene.storage, sentAtMs: scene.site.nowMs() }
  tell(scene, 'at the end, once more')
  await present(scene, [arrival(scene, tab)])
  deliver(scene, tab)
}

function report(grounds: Grounds, seed: number, { plan, told }: Scene, error: unknown): string {
  const what = error instanceof Error && error.name !== 'Broken' ? error.stack : String(error)
  return [
    `${what}`,
    `on ${grounds.name}; DUKTIG_TEST_SEED=${seed} plays it again. ${JSON.stringify({ ...plan, timing: undefined })}`,
    ...told,
  ].join('\n')
}

export interface Tally {
  readonly histories: number
  readonly kinds: Readonly<Record<Kind, number>>
}

/** Plays the histories of `count` seeds from `firstSeed` on, and calls `onHistory` after each. */
export async function playHistories(
  grounds: Grounds,
  firstSeed: number,
  count: number,
  onHistory: (done: number) => void = () => {},
): Promise<Tally> {
  const kinds = { kept: 0, advanced: 0, recovered: 0, repeated: 0, reuse: 0, refused: 0 }
  let started = 0
  let done = 0
  const lane = async () => {
    while (started < count) {
      const seed = firstSeed + started++
      for (const kind of await playHistory(grounds, seed)) kinds[kind] += 1
      onHistory(++done)
    }
  }
  await Promise.all(Array.from({ length: grounds.lanes }, lane))
  return { histories: done, kinds }
}
