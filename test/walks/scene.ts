/** What a history is played with: the site, the people, the messages between them, and the steps told so far. */
import type { Random } from '../support/random.ts'
import { type Burst, type Call, type GivenCall, Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import type { Caller, Site, Token } from './site.ts'

/** A token with the attempt key kept beside it. */
export interface Held {
  readonly token: Token
  readonly key: string | null
}

export interface Message extends Held {
  readonly sentAtMs: number
}

/** As in the model, a client is `lost` only where the time since the first try counts. */
export interface Client {
  readonly role: 'tab' | 'second'
  readonly name: string
  phase: 'idle' | 'sent' | 'reply' | 'lost'
  message: Message | null
  reply: Token | null
  /** When the present phase began. */
  sinceMs: number
  /** When the first of the unanswered tries was sent. */
  firstTryMs: number | null
  /** The second process keeps a copy of its own. */
  own: Held | null
}

export interface Scene {
  readonly random: Random
  readonly plan: Plan
  readonly site: Site
  readonly ledger: Ledger
  readonly clients: readonly Client[]
  readonly told: string[]
  readonly accessTokens: string[]
  storage: Held
  /** Requests that the network may deliver once more; the answers reach nobody. */
  replays: Message[]
  /** The tokens that the thief has. */
  loot: Held[]
  /** Undoes the end that was carried out, if it can be undone, such as a suspension. */
  undo: (() => Promise<void>) | null
  suspended: boolean
  /** The end reached the other session of the account too. */
  siblingOver: boolean
  restoresLeft: number
  restore: (() => Promise<void>) | null
  keysMade: number
}

/** Somebody presents a token at an instance. */
export interface Presentation extends Held {
  readonly who: string
  readonly instance: 0 | 1
  readonly caller: Caller
  readonly stranger?: boolean
  readonly client?: Client
  /** Takes the refresh token of the reply; null if there was none. */
  readonly receive: (given: Token | null) => void
}

export async function openScene(random: Random, plan: Plan, site: Site): Promise<Scene> {
  const ledger = new Ledger(plan, site.first.token, await site.row(), site.nowMs())
  const clients: Client[] = Array.from({ length: plan.tabs }, (_, i) => aClient('tab', `tab ${i + 1}`))
  if (plan.second) clients.push(aClient('second', 'the second process'))
  const scene: Scene = {
    random,
    plan,
    site,
    ledger,
    clients,
    told: [],
    accessTokens: [site.first.accessToken],
    storage: { token: site.first.token, key: null },
    replays: [],
    loot: [],
    undo: null,
    suspended: false,
    siblingOver: false,
    restoresLeft: plan.restores,
    restore: null,
    keysMade: 0,
  }
  scene.storage = { token: site.first.token, key: plan.keys ? freshKey(scene) : null }
  return scene
}

function aClient(role: Client['role'], name: string): Client {
  return { role, name, phase: 'idle', message: null, reply: null, sinceMs: 0, firstTryMs: null, own: null }
}

export function freshKey(scene: Scene): string {
  scene.keysMade += 1
  return `key-${scene.keysMade}`
}

export function tell(scene: Scene, text: string): void {
  scene.told.push(`${(scene.site.nowMs() / 1000).toFixed(3)} s  ${text}`)
}

export function anInstance({ random }: Scene): 0 | 1 {
  return random.chance(0.5) ? 0 : 1
}

/**
 * Presents all tokens at the same time, and carries out an end beside them, if one is given. Then the ledger checks the
 * answers, and their receivers get them.
 */
export async function present(
  scene: Scene,
  presentations: readonly Presentation[],
  end: (() => Promise<string | null>) | null = null,
): Promise<void> {
  const { site, ledger } = scene
  const fromMs = site.nowMs()
  const ending = end?.() ?? null
  const calls = await Promise.all(presentations.map((presentation) => callOf(site, presentation)))
  const ended = await ending
  const burst: Burst = { calls, fromMs, toMs: site.nowMs(), end: ended }
  for (const [i, call] of calls.entries()) tellCall(scene, presentations[i] as Presentation, call)
  if (end !== null) tell(scene, `  meanwhile: ${ended ?? 'an end that was not acknowledged'}`)
  ledger.note(burst, await site.row())
  for (const [i, call] of calls.entries()) {
    if (call.reply.kind === 'granted') scene.accessTokens.push(call.reply.accessToken)
    presentations[i]?.receive('given' in call ? call.given : null)
  }
}

async function callOf(site: Site, presentation: Presentation): Promise<Call | GivenCall> {
  const { who, token, key, caller, instance, stranger = false } = presentation
  const reply = await site.refresh(instance, token.text, key, caller)
  const call = { who, token, key, caller, stranger, reply }
  if (reply.kind !== 'granted' || reply.refreshToken === null) return call
  return { ...call, given: site.tokenOf(reply.refreshToken) }
}

function tellCall(scene: Scene, { instance }: Presentation, call: Call | GivenCall): void {
  const { who, token, key, reply, caller, stranger } = call
  const as = [stranger && 'of another account', caller !== 'nobody' && `with ${caller} key`].filter(Boolean)
  const what = `${who} presents ${token.generation}${key === null ? '' : ` (${key})`} ${as.join(' ')}`
  const given = 'given' in call ? `given ${call.given.generation}` : 'kept'
  tell(scene, `${what.trim()} at ${instance}: ${reply.kind === 'granted' ? given : JSON.stringify(reply)}`)
}
