/** What all moves are made with: one world, the rules, and the list to which the moves are added. */
import type { RefreshDecision } from '../../src/core/refresh.ts'
import type { Rules } from './rules.ts'
import { generationName, type Served } from './server.ts'
import type { Client, Size, Token, World } from './world.ts'

export type Actor = 'tab' | 'second' | 'thief' | 'duplicate' | 'time' | 'outside'

export interface Move {
  readonly label: string
  readonly next: World
  readonly violation: string | null
  readonly by: Actor
  /** The decision that left the server in this step. */
  readonly served: RefreshDecision['kind'] | null
}

export interface Scene {
  readonly world: World
  readonly rules: Rules
  readonly size: Size
  readonly moves: Move[]
}

export const NAMES: Readonly<Record<Actor, string>> = {
  tab: 'a tab',
  second: 'the second process',
  thief: 'the thief',
  duplicate: 'the duplicate',
  time: '',
  outside: '',
}

export function addMove(scene: Scene, by: Actor, label: string, next: World): void {
  scene.moves.push({ label: `${NAMES[by]} ${label}`.trim(), next, violation: null, by, served: null })
}

export function addServed(scene: Scene, by: Actor, token: Token, served: Served, next: World): void {
  const { size, moves } = scene
  const { kind } = served
  const alone = size.second !== true && size.lootSize === undefined && size.administrator !== true
  const refused = kind === 'end' || kind === 'deny'
  // L1: where only the owner is in the world, nobody is ever refused.
  const violation = served.violation ?? (alone && refused ? 'L1: the owner was signed out' : null)
  moves.push({
    label: `${NAMES[by]} presents ${generationName(token.g)}: ${kind}`,
    next,
    violation,
    by,
    served: kind,
  })
}

export function mayPresent(scene: Scene, token: Token): boolean {
  return scene.size.nobodyFollows !== true || token.g >= 0 || scene.world.row.rotAge > scene.size.W
}

export function withClient(world: World, at: number, client: Client): World {
  return { ...world, clients: world.clients.map((c, i) => (i === at ? client : c)) }
}

export const QUIET = { sent: null, plan: null, answer: null, age: 0 } as const

export function quiet(client: Client): Client {
  return { ...client, ...QUIET, phase: 'idle', since: 0 }
}

/** After a loss the client knows nothing; where the time to an answer is measured, its try is still going on. */
export function afterLoss(client: Client, size: Size): Client {
  return measured(size) ? { ...client, ...QUIET, phase: 'lost' } : quiet(client)
}

export function measured(size: Size): boolean {
  return size.timed && size.keys === 'none'
}
