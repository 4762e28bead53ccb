/** Everything that can happen next in a world: time passes, messages travel and get lost, people act. */
import { administratorMoves, backupMoves } from './outside.ts'
import type { Rules } from './rules.ts'
import { addMove, addServed, type Move, mayPresent, measured, type Scene } from './scene.ts'
import { serve } from './server.ts'
import { clientMoves } from './tabs.ts'
import { thiefMoves } from './thief.ts'
import { oldest, type Row, type Size, type World } from './world.ts'

export function movesOf(world: World, rules: Rules, size: Size): Move[] {
  const scene: Scene = { world, rules, size, moves: [] }
  if (mayWait(world, size)) addMove(scene, 'time', 'a tick', tick(world, size))
  for (const [at, client] of world.clients.entries())
    if (client.role !== 'thief') clientMoves(scene, client, at)
  if (world.duplicate !== null && mayPresent(scene, world.duplicate.token)) {
    const { token } = world.duplicate
    const served = serve(world, token, rules, size)
    addServed(scene, 'duplicate', token, served, { ...served.world, duplicate: null })
  }
  if (size.lootSize !== undefined) thiefMoves(scene)
  if (size.administrator === true) administratorMoves(scene)
  if (size.restores !== undefined) backupMoves(scene)
  return scene.moves
}

/** Whether time may pass: not while a client or a message must still act within its bound. */
function mayWait(world: World, size: Size): boolean {
  // Once the session is over, ages no longer matter.
  if (!size.timed) return !(world.acknowledged || world.disabled || world.expired)
  const { D } = size
  if (world.duplicate !== null && world.duplicate.age >= D) return false
  const patience = measured(size) ? (size.answeredWithin ?? size.W - 3 * D) : Infinity
  return world.clients.every((c) => {
    if (c.phase === 'idle') return true
    if (c.phase !== 'lost' && c.age >= (c.phase === 'reply' ? (size.replyD ?? D) : D)) return false
    return c.since < patience
  })
}

function tick(world: World, size: Size): World {
  const older = <R extends Row>(row: R): R => {
    return {
      ...row,
      rotAge: Math.min(oldest(size), row.rotAge + 1),
      handAge: Math.min(size.G, row.handAge + 1),
    }
  }
  const aged = { ...world, row: older(world.row), backup: world.backup && older(world.backup) }
  if (!size.timed) return aged
  const duplicate = world.duplicate && { ...world.duplicate, age: world.duplicate.age + 1 }
  const clients = world.clients.map((c) => {
    if (c.phase === 'idle') return c
    return { ...c, age: c.phase === 'lost' ? 0 : c.age + 1, since: measured(size) ? c.since + 1 : 0 }
  })
  return { ...aged, duplicate, clients }
}
