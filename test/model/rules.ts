/**
 * The rules under exploration: the decision and the conditional write. The real decision is `decideRefresh` itself,
 * which gets session rows as a store would give them; a tick of the model is a second.
 */
import { STATUS } from '../../src/core/account.ts'
import type { Application } from '../../src/core/application.ts'
import { decideRefresh, REPEATS_PER_GENERATION, type RefreshDecision } from '../../src/core/refresh.ts'
import type { Session, SessionView } from '../../src/core/session.ts'
import { oldest, type Row, type Size, type Token, type World } from './world.ts'

export const NOW_MS = 1_900_000_000_000
export const OWNER_ID = 7
export const STRANGER_ID = 8
const ORIGIN = 1000
const HOUR_MS = 3_600_000

export interface Rules {
  readonly decide: typeof decideRefresh
  /**
   * The row after the write; null if the row has changed since the request read it, so that the request must decide
   * again.
   */
  readonly commit: (row: Session, readGeneration: number, decision: Writing) => Session | null
  /** What recovery makes of the row of a live session. */
  readonly recover: (row: Session) => Session
  /** Whether *keep* puts the token of the current generation into its answer. */
  readonly keepSendsToken: boolean
}

export type Writing = Exclude<RefreshDecision, { kind: 'deny' | 'keep' }>

export const REAL_RULES: Rules = {
  decide: decideRefresh,
  commit: (row, readGeneration, decision) =>
    row.generation === readGeneration && row.endedAtMs === null ? written(row, decision, NOW_MS) : null,
  recover: (row) => ({ ...row, handedOutAtMs: NOW_MS, lastUsedAtMs: NOW_MS }),
  keepSendsToken: false,
}

/** What the store writes for a decision. */
export function written(row: Session, decision: Writing, nowMs: number): Session {
  switch (decision.kind) {
    case 'advance': {
      const { generation, attemptKey } = decision
      const times = { rotatedAtMs: nowMs, handedOutAtMs: nowMs, lastUsedAtMs: nowMs }
      return { ...row, ...times, generation, attemptKey, repeats: 0, kid: 'new' }
    }
    case 'repeat':
      return { ...row, handedOutAtMs: nowMs, lastUsedAtMs: nowMs, repeats: decision.repeats }
    case 'end':
      return { ...row, endedAtMs: nowMs, endReason: 'reuse' }
  }
}

/** Everything that determines the bytes of the refresh token: `sid`, `gen`, account, `iat`, `exp` and the key. */
export function tokenBytes(session: Session): string {
  const { sessionId, generation, accountId, rotatedAtMs, expiresAtMs, kid } = session
  return `${sessionId}.${generation}.${accountId}.${rotatedAtMs}.${expiresAtMs}.${kid}`
}

/** Everything that must never change during a session. */
export function grantOf(session: Session): string {
  const { sessionId, accountId, applicationId, applicationEpoch, createdAtMs, expiresAtMs } = session
  const ids = [sessionId, accountId, applicationId, applicationEpoch, createdAtMs, expiresAtMs]
  return [...ids, session.rotation].join('|')
}

export function viewOf(world: World, size: Size): SessionView {
  const account = {
    accountId: OWNER_ID,
    firstName: 'A',
    lastName: 'B',
    email: 'a@example.org',
    roleId: 4,
    status: world.suspended ? STATUS.suspended : STATUS.active,
  } as const
  return { session: sessionOf(world, size), account, application: applicationOf(world, size) }
}

function applicationOf(world: World, size: Size): Application {
  return {
    applicationId: 1,
    clientId: 'app',
    name: 'App',
    type: 'public',
    disabled: false,
    trustedBackend: false,
    // A disabled application counts as enabled again: only its higher epoch remains.
    epoch: world.disabled ? 2 : 1,
    rotation: true,
    parallelWindowSeconds: size.G,
    retryWindowSeconds: size.W,
    idleSeconds: 0,
    sessionTtlSeconds: 86_400,
    accessTokenTtlSeconds: 300,
    requireKeyOnRefresh: false,
  }
}

export function sessionOf(world: World, size: Size): Session {
  const { row } = world
  const expiresAtMs = world.expired ? NOW_MS : NOW_MS + HOUR_MS
  return {
    sessionId: 'session',
    accountId: OWNER_ID,
    applicationId: 1,
    applicationEpoch: 1,
    rotation: true,
    generation: ORIGIN,
    rotatedAtMs: NOW_MS - row.rotAge * 1000,
    handedOutAtMs: NOW_MS - row.handAge * 1000,
    kid: 'old',
    attemptKey: keyText(row.key),
    repeats: size.repeatsLeft === undefined ? 0 : REPEATS_PER_GENERATION - size.repeatsLeft + row.repeats,
    createdAtMs: NOW_MS - HOUR_MS,
    expiresAtMs,
    lastUsedAtMs: NOW_MS,
    endedAtMs: row.ended ? NOW_MS : null,
    endReason: row.ended ? 'ended-by-administrator' : null,
  }
}

/** The row's columns in the model's terms; the caller keeps the ghosts `line` and `sentKey`. */
export function columnsOf(session: Session, size: Size): Pick<Row, 'rotAge' | 'handAge' | 'key' | 'repeats'> {
  const spent = size.repeatsLeft === undefined ? session.repeats : REPEATS_PER_GENERATION - size.repeatsLeft
  return {
    rotAge: Math.min(oldest(size), (NOW_MS - session.rotatedAtMs) / 1000),
    handAge: Math.min(size.G, (NOW_MS - session.handedOutAtMs) / 1000),
    key: keyNumber(session.attemptKey),
    repeats: Math.max(0, session.repeats - spent),
  }
}

export function decideFor(world: World, token: Token, accountId: number, rules: Rules, size: Size) {
  const presented = {
    sessionId: 'session',
    accountId,
    generation: ORIGIN + token.g,
    attemptKey: keyText(token.key),
  }
  return rules.decide(viewOf(world, size), presented, NOW_MS)
}

const KEY_TEXTS = Array.from({ length: 64 }, (_, n) => `key-${n}`)

export function keyText(key: number): string | null {
  return key === 0 ? null : (KEY_TEXTS[key] as string)
}

export function keyNumber(text: string | null): number {
  return text === null ? 0 : Number(text.slice(4))
}

export function relative(generation: number): number {
  return generation - ORIGIN
}

export function absolute(g: number): number {
  return g + ORIGIN
}
