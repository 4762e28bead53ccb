/** The thief: he may copy the storage at any time, keep a few tokens, and present any of them with any key he knows. */
import { addMove, addServed, mayPresent, quiet, type Scene, withClient } from './scene.ts'
import { commit, generationName, read, type Served } from './server.ts'
import { ANY_NUMBER, type Client, sameToken, THIEF_KEYS, type Token, type World } from './world.ts'

export function thiefMoves(scene: Scene): void {
  const { world } = scene
  const at = world.clients.length - 1
  const thief = world.clients[at] as Client
  if (world.copiesLeft > 0) {
    const copiesLeft = world.copiesLeft === ANY_NUMBER ? ANY_NUMBER : world.copiesLeft - 1
    const copied = { ...world, copiesLeft }
    addLoot(scene, 'copies the token', copied, { ...world.storage, key: 0 })
    if (world.storage.key !== 0) addLoot(scene, 'copies token and key', copied, world.storage)
  }
  if (thief.plan !== null) return thiefCommits(scene, world, thief, at)
  for (const token of world.loot) {
    if (!mayPresent(scene, token)) continue
    for (const key of knownKeys(world)) present(scene, thief, at, { ...token, key })
  }
}

/** No key, his own ones, and every key he has copied, even if it belongs to another token. */
function knownKeys(world: World): ReadonlySet<number> {
  return new Set([0, ...THIEF_KEYS, ...world.loot.map((t) => t.key)])
}

function present(scene: Scene, thief: Client, at: number, token: Token): void {
  const { world, rules, size } = scene
  const served = read(world, token, rules, size)
  if ('world' in served) return receive(scene, token, served)
  const decided: Client = { ...thief, phase: 'decided', sent: token, plan: served }
  const waiting = withClient(world, at, decided)
  if (size.twoNodes !== true) return thiefCommits(scene, waiting, decided, at)
  addMove(scene, 'thief', `has ${generationName(token.g)} read, ${served.kind} decided`, waiting)
}

function thiefCommits(scene: Scene, world: World, thief: Client, at: number): void {
  const { rules, size } = scene
  const token = thief.sent as Token
  const served = thief.plan && commit(world, thief.plan, token, rules, size)
  const free = (w: World) => withClient(w, at, quiet(thief))
  // The thief gives up: to decide again would be to present the token again, which he may do anyway.
  if (served === null) return addMove(scene, 'thief', 'loses the race', free(world))
  receive(scene, token, { ...served, world: free(served.world) })
}

function receive(scene: Scene, token: Token, served: Served): void {
  if (served.answer === null) return addServed(scene, 'thief', token, served, served.world)
  for (const next of pocketed(scene, served.world, served.answer))
    addServed(scene, 'thief', token, served, next)
}

function addLoot(scene: Scene, label: string, world: World, token: Token): void {
  for (const next of pocketed(scene, world, token)) addMove(scene, 'thief', label, next)
}

/**
 * The thief keeps only a few tokens, so he chooses which one to drop; all choices together stand for a thief who keeps
 * many.
 */
function pocketed({ size }: Scene, world: World, token: Token): World[] {
  const { loot } = world
  // A token that he already has is worth more only if it comes with a key that he lacks.
  if (loot.some((t) => sameToken(t, token) && (token.key === 0 || t.key === token.key))) return [world]
  const rest = loot.filter((t) => !sameToken(t, token))
  if (rest.length < (size.lootSize ?? 0)) return [{ ...world, loot: [...rest, token] }]
  return rest.map((_, out) => ({ ...world, loot: [...rest.filter((__, i) => i !== out), token] }))
}
