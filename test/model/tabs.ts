/** The tabs, which share one storage, and the second process, which copies it once and then uses its own copy. */
import { freshKey } from './normal-form.ts'
import { addMove, addServed, afterLoss, mayPresent, QUIET, quiet, type Scene, withClient } from './scene.ts'
import { commit, generationName, read, type Served } from './server.ts'
import { type Client, type Size, sameToken, type Token, type World } from './world.ts'

export function clientMoves(scene: Scene, client: Client, at: number): void {
  if (client.phase === 'idle' || client.phase === 'lost') return sendMoves(scene, client, at)
  const { world, size } = scene
  const lost = withClient(world, at, afterLoss(client, size))
  if (client.phase === 'reply') {
    addMove(scene, client.role, 'loses the reply', lost)
    return addMove(scene, client.role, 'gets its answer', delivered(world, client, at, size))
  }
  addMove(scene, client.role, 'loses the request', lost)
  if (client.phase === 'decided') return commitMove(scene, client, at)
  const token = client.sent as Token
  if (size.duplicates === true && world.duplicate === null) {
    addMove(scene, client.role, 'has its request duplicated', {
      ...world,
      duplicate: { token, age: client.age },
    })
  }
  if (mayPresent(scene, token)) decideMove(scene, client, at, token)
}

function sendMoves(scene: Scene, client: Client, at: number): void {
  const { world, size } = scene
  if (client.role === 'second' && client.own === null) {
    const copied = withClient(world, at, { ...client, own: world.storage })
    return addMove(scene, 'second', 'copies the storage', copied)
  }
  const token = tokenToSend(world, client, size)
  const own = size.keys === 'own' ? token : client.own
  const sent = withClient(world, at, { ...client, phase: 'sent', sent: token, own })
  addMove(scene, client.role, `sends ${generationName(token.g)}`, sent)
}

function decideMove(scene: Scene, client: Client, at: number, token: Token): void {
  const { world, rules, size } = scene
  const served = read(world, token, rules, size)
  if ('world' in served) return addServed(scene, client.role, token, served, answered(served, client, at))
  const decided: Client = { ...client, phase: 'decided', plan: served }
  if (size.twoNodes !== true) return commitMove(scene, decided, at)
  const label = `has ${generationName(token.g)} read, ${served.kind} decided`
  addMove(scene, client.role, label, withClient(world, at, decided))
}

function commitMove(scene: Scene, client: Client, at: number): void {
  const { world, rules, size } = scene
  const token = client.sent as Token
  const served = client.plan && commit(world, client.plan, token, rules, size)
  if (served !== null) return addServed(scene, client.role, token, served, answered(served, client, at))
  const again = withClient(world, at, { ...client, phase: 'sent', plan: null })
  addMove(scene, client.role, 'loses the race and is read again', again)
}

function tokenToSend(world: World, client: Client, size: Size): Token {
  if (client.role === 'second') return client.own as Token
  if (size.keys !== 'own') return world.storage
  if (client.own !== null && sameToken(client.own, world.storage)) return client.own
  return { ...world.storage, key: freshKey(world) }
}

/** The write may have renamed what the client holds, so the client is taken from the world after the write. */
function answered(served: Served, before: Client, at: number): World {
  const client = served.world.clients[at] as Client
  const reply: Client = { ...client, ...QUIET, phase: 'reply', answer: served.answer, since: before.since }
  return withClient(served.world, at, reply)
}

/** Any refresh token that arrives overwrites the storage; its key stays if the stored token is the same. */
function delivered(world: World, client: Client, at: number, size: Size): World {
  const idle = quiet(client)
  const { answer } = client
  if (answer === null) return withClient(world, at, idle)
  const old = client.role === 'second' ? (client.own as Token) : world.storage
  const key = size.keys !== 'stored' ? 0 : sameToken(old, answer) ? old.key : freshKey(world)
  const stored: Token = { ...answer, key }
  if (client.role === 'second') return withClient(world, at, { ...idle, own: stored })
  return { ...withClient(world, at, idle), storage: stored }
}
