/** What comes from outside: the administrator, the absolute end, backup and restore. */
import { shift } from './normal-form.ts'
import { columnsOf, sessionOf } from './rules.ts'
import { addMove, type Scene } from './scene.ts'
import type { Row, World } from './world.ts'

/** At most one of these ends happens: several together deny at least what each denies alone. */
export function administratorMoves(scene: Scene): void {
  const { world } = scene
  if (world.suspended) addMove(scene, 'outside', 'the account is reactivated', { ...world, suspended: false })
  if (world.row.ended || world.disabled || world.expired) return
  const over = ended(scene)
  addMove(scene, 'outside', 'the administrator ends the session', over)
  addMove(scene, 'outside', 'the account is suspended', { ...over, suspended: true })
  addMove(scene, 'outside', 'the application is disabled', { ...world, disabled: true })
  addMove(scene, 'outside', 'the absolute end passes', { ...world, expired: true })
}

/** Without a backup nothing can undo an end, so that committing and acknowledging it are one step. */
function ended({ world, size }: Scene): World {
  const acknowledged = size.restores === undefined
  return { ...world, row: { ...world.row, ended: true }, acknowledged }
}

/** A backup is taken at some time and restored at some later time. */
export function backupMoves(scene: Scene): void {
  const { world } = scene
  const { backup, row, restoresLeft } = world
  if (row.ended && !world.acknowledged) {
    addMove(scene, 'outside', 'the end is journalled and acknowledged', { ...world, acknowledged: true })
  }
  if (restoresLeft === 0) return
  if (backup === null) {
    const taken = { ...row, g: 0, suspended: world.suspended }
    return addMove(scene, 'outside', 'a backup is taken', { ...world, backup: taken })
  }
  if (world.line > 0) addMove(scene, 'outside', 'the backup is dropped', shift({ ...world, backup: null }, 0))
  addMove(scene, 'outside', `a restore goes back by ${-backup.g}`, restored(scene, world, backup.g))
}

/**
 * The journal brings back every acknowledged end; an end that was only committed may be lost. Messages under way stay
 * under way: a restore at which they are lost too is another path through the same world.
 */
function restored({ rules, size }: Scene, world: World, backupG: number): World {
  const { g: _, suspended, ...columns } = world.backup as NonNullable<World['backup']>
  const journalled = world.acknowledged && size.journalLost !== true
  const recovered = rules.recover(sessionOf({ ...world, row: columns }, size))
  const row: Row = { ...columns, ...columnsOf(recovered, size), ended: columns.ended || journalled }
  const restoresLeft = world.restoresLeft - 1
  const backup = restoresLeft === 0 ? null : world.backup
  const after = { ...world, row, backup, suspended, restoresLeft, line: world.line + 1 }
  return shift(after, backupG)
}
