/** The owner: tabs that share one storage, and a second process that copies it once and then uses its own copy. */
import { type Client, type Held, type Presentation, type Scene, anInstance, freshKey, tell } from './scene.ts'
import type { Move } from './moves.ts'
import type { Token } from './site.ts'

export function ownerMoves(scene: Scene): Move[] {
  return scene.clients.flatMap((client) => clientMoves(scene, client))
}

function clientMoves(scene: Scene, client: Client): Move[] {
  const { name } = client
  const lose = { weight: 1, run: async () => afterLoss(scene, client, `${name} loses the ${client.phase}`) }
  switch (client.phase) {
    case 'idle':
    case 'lost':
      return [{ weight: client.phase === 'lost' ? 4 : 2, run: async () => send(scene, client) }]
    case 'sent': {
      const { message } = client
      const duplicate = {
        weight: 1,
        run: async () => {
          if (message !== null) scene.replays.push(message)
          tell(scene, `${name} has its request duplicated`)
        },
      }
      const mayDuplicate = scene.plan.duplicates && scene.replays.length < 2
      return mayDuplicate ? [lose, duplicate] : [lose]
    }
    case 'reply':
      return [{ weight: 5, run: async () => deliver(scene, client) }, lose]
  }
}

/** Reads the storage again before each try. */
function send(scene: Scene, client: Client): void {
  const { site } = scene
  if (client.role === 'second') client.own ??= scene.storage
  const held = client.own ?? scene.storage
  const nowMs = site.nowMs()
  client.phase = 'sent'
  client.message = { ...held, sentAtMs: nowMs }
  client.sinceMs = nowMs
  client.firstTryMs ??= nowMs
  tell(scene, `${client.name} sends ${held.token.generation}`)
}

/** The client's request as it arrives; afterwards, the answer is under way. */
export function arrival(scene: Scene, client: Client): Presentation {
  const { token, key } = client.message as Held
  const caller = scene.random.chance(0.2) ? 'own' : 'nobody'
  const receive = (given: Token | null) => {
    client.phase = 'reply'
    client.reply = given
    client.sinceMs = scene.site.nowMs()
  }
  return { who: client.name, instance: anInstance(scene), token, key, caller, client, receive }
}

/** Any refresh token that arrives is stored; its key stays if the stored token is the same. */
export function deliver(scene: Scene, client: Client): void {
  const { reply } = client
  const held = client.own ?? scene.storage
  if (reply !== null) {
    const key = !scene.plan.keys ? null : isSame(held.token, reply) ? held.key : freshKey(scene)
    const next = { token: reply, key }
    if (client.role === 'second') client.own = next
    else scene.storage = next
  }
  tell(scene, `${client.name} gets its answer${reply === null ? '' : ` and stores ${reply.generation}`}`)
  quiet(client)
}

function isSame(a: Token, b: Token): boolean {
  return a.identity === b.identity
}

/** Where the time since the first try counts, the client remains in that try after a loss. */
function afterLoss(scene: Scene, client: Client, text: string): void {
  const { plan } = scene
  const { firstTryMs } = client
  quiet(client)
  if (plan.honest && !plan.keys) {
    client.phase = 'lost'
    client.firstTryMs = firstTryMs
  }
  tell(scene, text)
}

function quiet(client: Client): void {
  client.phase = 'idle'
  client.message = null
  client.reply = null
  client.firstTryMs = null
}
