/** Everything that can happen next in a history, each move with a weight for how often it is picked. */
import { endMoves, theEnd } from './ends.ts'
import { arrival, ownerMoves } from './owner.ts'
import { drawWait } from './plan.ts'
import { type Client, type Held, type Presentation, type Scene, anInstance, present, tell } from './scene.ts'

export interface Move {
  readonly weight: number
  run(): Promise<void>
}

export function movesOf(scene: Scene): Move[] {
  const waiting = scene.clients.filter(({ phase }) => phase === 'sent')
  const moves = [...ownerMoves(scene), ...thiefMoves(scene), ...endMoves(scene), ...backupMoves(scene)]
  for (const client of waiting) moves.push({ weight: 3, run: () => present(scene, [arrival(scene, client)]) })
  const few = waiting.length + scene.replays.length < 2 && scene.loot.length === 0
  moves.push({ weight: few ? 0.2 : 2, run: () => present(scene, crowd(scene, waiting)) })
  moves.push({ weight: 0.3, run: () => present(scene, [outsider(scene)]) })
  if (scene.plan.administrator)
    moves.push({ weight: 0.4, run: () => present(scene, crowd(scene, waiting), theEnd(scene)) })
  const most = longestWait(scene)
  if (most > 0) moves.push({ weight: 4, run: () => wait(scene, most) })
  return moves
}

export function pickMove({ random }: Scene, moves: readonly Move[]): Move {
  let left = random.next() * moves.reduce((sum, { weight }) => sum + weight, 0)
  for (const move of moves) {
    left -= move.weight
    if (left < 0) return move
  }
  return moves.at(-1) as Move
}

/** Everything under way arrives at the same time, perhaps with tokens from the thief and from strangers. */
function crowd(scene: Scene, waiting: readonly Client[]): Presentation[] {
  const { random, replays } = scene
  const all = waiting.map((client) => arrival(scene, client))
  for (const held of replays.splice(0)) all.push(nobodys(scene, 'a duplicate', held))
  if (scene.loot.length > 0)
    for (let i = random.below(4); i > 0; i--) all.push(theft(scene, random.pick(scene.loot)))
  if (random.chance(0.1)) all.push(outsider(scene))
  return all
}

function nobodys(scene: Scene, who: string, { token, key }: Held): Presentation {
  return { who, instance: anInstance(scene), token, key, caller: 'nobody', receive() {} }
}

/** A genuine token of another account, or the right token with the key of another application. */
function outsider(scene: Scene): Presentation {
  const { site, random, storage } = scene
  const isStranger = random.chance(0.5)
  const token = isStranger ? site.tokenOf(random.pick(site.strangersTokens)) : storage.token
  const instance = anInstance(scene)
  const caller = isStranger ? 'nobody' : 'foreign'
  return { who: 'a stranger', instance, token, key: null, caller, stranger: isStranger, receive() {} }
}

function thiefMoves(scene: Scene): Move[] {
  const { plan, loot, random } = scene
  if (!plan.thief) return []
  const copy = async () => {
    const withKey = random.chance(0.5)
    scene.loot.push(withKey ? scene.storage : { ...scene.storage, key: null })
    tell(scene, `the thief copies ${scene.storage.token.generation}${withKey ? ' with its key' : ''}`)
  }
  const moves: Move[] = [{ weight: 0.7, run: copy }]
  if (loot.length > 0) moves.push({ weight: 2, run: () => present(scene, [theft(scene, random.pick(loot))]) })
  return moves
}

/** A token that the thief has, with no key, one of his own, or any key that he has seen. */
function theft(scene: Scene, { token, key }: Held): Presentation {
  const { random, loot } = scene
  const keys = [key, null, 'thief-1', 'thief-2', ...loot.map((held) => held.key)]
  const chosen = scene.plan.keys || random.chance(0.2) ? random.pick(keys) : null
  return {
    ...nobodys(scene, 'the thief', { token, key: chosen }),
    receive: (given) => {
      if (given !== null) loot.push({ token: given, key: null })
    },
  }
}

/** A backup is taken at some time, and restored at some later time. Messages under way stay under way. */
function backupMoves(scene: Scene): Move[] {
  const { site, ledger, restore } = scene
  if (scene.restoresLeft === 0) return []
  const take = async () => {
    const restoreRow = await site.backup()
    const restoreLedger = ledger.backup()
    const generation = ledger.current
    scene.restore = async () => {
      // Only a fail-over with recovery is promised to be harmless, so an honest history always recovers.
      const recovered = scene.plan.honest || scene.random.chance(0.5)
      await restoreRow(recovered)
      restoreLedger(recovered ? site.nowMs() : null)
      tell(
        scene,
        `generation ${generation} is ${recovered ? 'restored and recovered' : 'what a fail-over left'}`,
      )
    }
    tell(scene, 'a backup is taken')
  }
  const back = async () => {
    scene.restoresLeft -= 1
    await restore?.()
  }
  const moves: Move[] = [{ weight: restore === null ? 1 : 0.3, run: take }]
  if (restore !== null) moves.push({ weight: 0.5, run: back })
  return moves
}

/** The longest time that may pass: an honest owner's messages keep to their bounds, so time stops at the next bound. */
function longestWait({ plan, clients, replays, site }: Scene): number {
  if (!plan.honest) return Number.POSITIVE_INFINITY
  const { wayMs, patienceMs } = plan.timing
  const nowMs = site.nowMs()
  const ends = clients.flatMap((client) => {
    const way = client.phase === 'sent' || client.phase === 'reply' ? [client.sinceMs + wayMs] : []
    return plan.keys || client.firstTryMs === null ? way : [...way, client.firstTryMs + patienceMs]
  })
  return Math.min(...ends, ...replays.map(({ sentAtMs }) => sentAtMs + wayMs)) - nowMs
}

async function wait(scene: Scene, most: number): Promise<void> {
  const { random, plan, site } = scene
  const drawn = drawWait(random, plan.timing)
  await site.pass(Number.isFinite(most) && random.chance(0.3) ? most : Math.min(most, drawn))
  tell(scene, 'time has passed')
}
