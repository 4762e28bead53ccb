/**
 * The decision about a presented refresh token: the seven cases of `docs/refresh.md`.
 * Pure: the row, the policy and the time are arguments, and the caller carries the decision out with a conditional
 * write.
 */
import type { Denial } from './denial.ts'
import type { Leap } from './leaps.ts'
import { type Session, type SessionView, lastUseGrainMs, sessionDenial } from './session.ts'

/** What a client presents: the claims of a genuine refresh token, and the hash of its attempt key if it sent one. */
export interface PresentedToken {
  readonly sessionId: string
  readonly accountId: number
  readonly generation: number
  readonly attemptKey: string | null
}

export type RefreshDecision =
  /** Case 1: the refresh is refused; no session ends. */
  | { readonly kind: 'deny'; readonly denial: Denial }
  /**
   * Cases 2 and 3: a new access token; the presented refresh token stays valid. `touch`: `last_used_at` must be
   * written.
   */
  | { readonly kind: 'keep'; readonly touch: boolean }
  /** Cases 4 and 7: the next generation. `recovered`: the row was older than a token that had been signed. */
  | {
      readonly kind: 'advance'
      readonly generation: number
      readonly attemptKey: string | null
      readonly recovered: boolean
    }
  /** Case 5: the token of the current generation is sent again, byte for byte. */
  | { readonly kind: 'repeat'; readonly repeats: number }
  /** Case 6: an old token was presented; this session ends, and no other. */
  | { readonly kind: 'end' }

/** The bound of case 5a: more lost answers in a row than a bad connection explains. */
export const REPEATS_PER_GENERATION = 100

export function decideRefresh(view: SessionView, presented: PresentedToken, nowMs: number): RefreshDecision {
  const denial = sessionDenial(view, presented.accountId, nowMs)
  if (denial !== null) return { kind: 'deny', denial }
  const { session, application } = view
  // `sessionDenial` has refused sessions whose application is null.
  const policy = application as NonNullable<typeof application>
  const parallelWindowMs = policy.parallelWindowSeconds * 1000
  const retryWindowMs = policy.retryWindowSeconds * 1000
  const current = session.generation

  if (presented.generation >= current) {
    if (!rests(session, presented, parallelWindowMs, nowMs)) {
      return advance(session, presented, presented.generation + 1)
    }
    return { kind: 'keep', touch: ageMs(session.lastUsedAtMs, nowMs) >= lastUseGrainMs(policy.idleSeconds) }
  }
  if (session.rotation && presented.generation === current - 1) {
    const sameKey = session.attemptKey !== null && session.attemptKey === presented.attemptKey
    if (sameKey && session.repeats < REPEATS_PER_GENERATION) {
      return { kind: 'repeat', repeats: session.repeats + 1 }
    }
    // If the rotation remembers an attempt key, a client without that key gets only the parallel window, within which
    // the requests of two tabs may cross.
    const windowMs = session.attemptKey === null || sameKey ? retryWindowMs : parallelWindowMs
    if (ageMs(session.rotatedAtMs, nowMs) <= windowMs) return { kind: 'repeat', repeats: session.repeats }
  }
  return { kind: 'end' }
}

/**
 * Whether case 2 or 3 applies: the presented token is kept. Case 3 includes tokens of later generations than the row's:
 * after a restore, another request may be under way with the token before this one. An immediate advance would leave
 * that request two generations behind and end the session. Recovery therefore counts as a hand-out.
 */
function rests(session: Session, presented: PresentedToken, windowMs: number, nowMs: number): boolean {
  if (!session.rotation) return presented.generation === session.generation
  return ageMs(session.handedOutAtMs, nowMs) < windowMs
}

function advance(session: Session, presented: PresentedToken, generation: number): RefreshDecision {
  // A key equal to that of the previous rotation counts as none: the key would belong to two tokens at once.
  const attemptKey = presented.attemptKey === session.attemptKey ? null : presented.attemptKey
  const recovered = presented.generation > session.generation
  return { kind: 'advance', generation, attemptKey, recovered }
}

/**
 * The view to give to `decideRefresh` when the clock has stepped forward. Each later step moves the times of rotation
 * and hand-out forward, so that their age is the time that has really passed; otherwise a retry across a step would
 * count as reuse. A time within a step was written by an instance that had not followed the step yet, and moves too.
 * The times that decide about the end of the session do not move.
 */
export function acrossLeaps(view: SessionView, clock: { leaps?(): readonly Leap[] }): SessionView {
  const leaps = clock.leaps?.() ?? []
  if (leaps.length === 0) return view
  const { session } = view
  const dated = (atMs: number) => leaps.reduce((ms, { toMs, byMs }) => (ms < toMs ? ms + byMs : ms), atMs)
  const { rotatedAtMs, handedOutAtMs } = session
  return {
    ...view,
    session: { ...session, rotatedAtMs: dated(rotatedAtMs), handedOutAtMs: dated(handedOutAtMs) },
  }
}

/** The session as a decision leaves it, signed by the key `kid`; the same object when the decision writes nothing. */
export function carriedOut(session: Session, decision: RefreshDecision, kid: string, nowMs: number): Session {
  // The clock may have been set back since the last use, and the store never sets this time back.
  const lastUsedAtMs = Math.max(session.lastUsedAtMs, nowMs)
  switch (decision.kind) {
    case 'deny':
      return session
    case 'keep':
      return decision.touch ? { ...session, lastUsedAtMs } : session
    case 'repeat':
      return { ...session, handedOutAtMs: nowMs, repeats: decision.repeats, lastUsedAtMs }
    case 'end':
      return { ...session, endedAtMs: nowMs, endReason: 'reuse' }
    case 'advance':
      return {
        ...session,
        generation: decision.generation,
        rotatedAtMs: nowMs,
        handedOutAtMs: nowMs,
        kid,
        attemptKey: decision.attemptKey,
        repeats: 0,
        lastUsedAtMs,
      }
  }
}

/** Never negative: after the clock was set back, a time that lies in the future counts as now. */
function ageMs(sinceMs: number, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs)
}
