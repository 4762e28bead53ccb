/**
 * What the server does with a presented token, and what must hold whenever it does so: the safety properties of
 * `docs/refresh.md`, and the promise that an old token ends the session. Where the two may differ, the checks rely on
 * what happened in the world (`sentKey`, `acknowledged`), not on the columns that the decision reads.
 */
import type { RefreshDecision } from '../../src/core/refresh.ts'
import { shift } from './normal-form.ts'
import {
  absolute,
  columnsOf,
  decideFor,
  grantOf,
  keyNumber,
  keyText,
  OWNER_ID,
  type Rules,
  relative,
  STRANGER_ID,
  sessionOf,
  tokenBytes,
  type Writing,
} from './rules.ts'
import type { Plan, Row, Size, Token, World } from './world.ts'

export interface Served {
  readonly kind: RefreshDecision['kind']
  readonly world: World
  /** The refresh token in the answer. */
  readonly answer: Token | null
  readonly violation: string | null
}

/** Reading and deciding: an answer at once, or a plan that is still to be committed. */
export function read(world: World, token: Token, rules: Rules, size: Size): Served | Plan {
  const decision = decideFor(world, token, OWNER_ID, rules, size)
  const violation = brokenByDeciding(world, token, decision, size)
  if (violation !== null || decision.kind === 'deny')
    return { kind: decision.kind, world, answer: null, violation }
  if (decision.kind === 'keep') {
    const answer = rules.keepSendsToken ? { g: 0, line: world.row.line, key: 0 } : null
    return { kind: 'keep', world, answer, violation }
  }
  return {
    kind: decision.kind,
    base: 0,
    to: decision.kind === 'advance' ? relative(decision.generation) : 0,
    key: decision.kind === 'advance' ? keyNumber(decision.attemptKey) : 0,
    // Relative to the row that was read, since the model counts repeats from an origin of its own.
    repeats:
      decision.kind === 'repeat' ? decision.repeats - sessionOf(world, size).repeats + world.row.repeats : 0,
  }
}

/** The conditional write of a plan; null if the race is lost and the request must read again. */
export function commit(world: World, plan: Plan, token: Token, rules: Rules, size: Size): Served | null {
  const before = sessionOf(world, size)
  const after = rules.commit(
    before,
    absolute(plan.base),
    decisionOf(plan, before.repeats - world.row.repeats),
  )
  if (after === null) return null
  let violation: string | null = null
  if (world.acknowledged && plan.kind !== 'end')
    violation = 'S2: a token was minted after an acknowledged end'
  if (plan.kind === 'advance' && after.generation <= before.generation) {
    violation = 'S1: two different tokens of one generation'
  }
  if (plan.kind === 'advance' && token.g < 0) violation = 'S1: an old token advanced'
  if (plan.kind === 'repeat' && tokenBytes(before) !== tokenBytes(after)) {
    violation = 'S3: a repeat returned other bytes'
  }
  if (grantOf(before) !== grantOf(after)) violation = 'S4: the grant changed'
  const line = plan.kind === 'advance' ? world.line : world.row.line
  const row: Row = {
    ...columnsOf(after, size),
    line,
    ended: world.row.ended || plan.kind === 'end',
    sentKey: plan.kind === 'advance' ? token.key : world.row.sentKey,
  }
  const answer = plan.kind === 'end' ? null : { g: 0, line, key: 0 }
  // Without a backup nothing can undo an end, so that committing and acknowledging it are one step.
  const acknowledged = world.acknowledged || (row.ended && size.restores === undefined)
  const next = shift({ ...world, row, acknowledged }, relative(after.generation))
  return { kind: plan.kind, world: next, answer, violation }
}

export function serve(world: World, token: Token, rules: Rules, size: Size): Served {
  const planned = read(world, token, rules, size)
  if ('world' in planned) return planned
  const served = commit(world, planned, token, rules, size)
  if (served === null) throw new Error('a write on the row just read cannot lose a race')
  return served
}

function decisionOf(plan: Plan, repeatsOffset: number): Writing {
  const { kind, base } = plan
  if (kind === 'end') return { kind }
  if (kind === 'repeat') return { kind, repeats: plan.repeats + repeatsOffset }
  const generation = absolute(plan.to)
  return { kind, generation, attemptKey: keyText(plan.key), recovered: plan.to > base + 1 }
}

function brokenByDeciding(world: World, token: Token, decision: RefreshDecision, size: Size): string | null {
  const grants = decision.kind !== 'deny' && decision.kind !== 'end'
  if (grants && world.acknowledged) return 'S2: a token after an acknowledged end'
  if (grants && world.disabled) return 'S2: a token after the application was disabled'
  if (grants && world.suspended) return 'S4: a token for an account that is not active'
  if (grants && world.expired) return 'S4: a token after the absolute end'
  const alive = !world.row.ended && !world.disabled && !world.suspended && !world.expired
  if (alive && mustEnd(world.row, token, size) && decision.kind !== 'end') {
    return 'L2: an old token came late and the session did not end'
  }
  return null
}

/**
 * L2: whether the session must end. A token older than the previous one ends it at once; the previous one does so later
 * than `W` after the rotation, or later than `G` if the rotation remembers a key that the request lacks. With the
 * rotation's key, the repeats must be used up as well.
 */
function mustEnd(row: Row, token: Token, size: Size): boolean {
  if (token.g >= 0) return false
  if (token.g < -1) return true
  const rotatorsKey = token.key !== 0 && token.key === row.sentKey
  if (rotatorsKey)
    return row.rotAge > size.W && size.repeatsLeft !== undefined && row.repeats >= size.repeatsLeft
  return row.rotAge > (row.key === 0 ? size.W : size.G)
}

/** S4: a genuine token of another account with this session's id gets nothing, whatever its generation. */
export function brokenByStranger(world: World, rules: Rules, size: Size): string | null {
  for (let g = -2; g <= 2; g++) {
    const decision = decideFor(world, { g, line: 0, key: 0 }, STRANGER_ID, rules, size)
    if (decision.kind !== 'deny')
      return `S4: ${decision.kind} for the token of another account (${generationName(g)})`
  }
  return null
}

export function generationName(g: number): string {
  return g === 0 ? 'c' : g < 0 ? `c-${-g}` : `c+${g}`
}
