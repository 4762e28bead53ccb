/**
 * The decision about a presented refresh token: the seven cases of `docs/refresh.md`.
 * Pure: the row, the policy and the time are arguments, and the caller carries the decision out with a conditional write.
 */
import type { Denial } from './denial.ts'
import type { Leap } from './leaps.ts'
import { type Session, type SessionView, lastUseGrainMs, sessionDenial } from './session.ts'

/** What a caller presents: the claims of a genuine refresh token, and the hash of his attempt key if he sent one. */
export interface PresentedToken {
  readonly sessionId: string
  readonly accountId: number
  readonly generation: number
  readonly attemptKey: string | null
}

export type RefreshDecision =
  /** Case 1: refused; nothing ends. */
  | { readonly kind: 'deny'; readonly denial: Denial }
  /** Cases 2 and 3: a new access token; what the caller has stays good. `touch` asks for a new `last_used_at`. */
  | { readonly kind: 'keep'; readonly touch: boolean }
  /** Cases 4 and 7: the next generation. `recovered`: the row was older than what we signed. */
  | {
      readonly kind: 'advance'
      readonly generation: number
      readonly attemptKey: string | null
      readonly recovered: boolean
    }
  /** Case 5: the token of the current generation once more, byte for byte. */
  | { readonly kind: 'repeat'; readonly repeats: number }
  /** Case 6: an old token came back; this one session ends. */
  | { readonly kind: 'end' }

/** Case 5a ends here: whoever lost this many answers in a row is not a client with a bad line. */
export const REPEATS_PER_GENERATION = 100

export function decideRefresh(view: SessionView, presented: PresentedToken, nowMs: number): RefreshDecision {
  const denial = sessionDenial(view, presented.accountId, nowMs)
  if (denial !== null) return { kind: 'deny', denial }
  const { session, application } = view
  // sessionDenial has refused a session without its application.
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
    // Where the rotation remembers a key, a caller without it gets only the time in which tabs may cross.
    const windowMs = session.attemptKey === null || sameKey ? retryWindowMs : parallelWindowMs
    if (ageMs(session.rotatedAtMs, nowMs) <= windowMs) return { kind: 'repeat', repeats: session.repeats }
  }
  return { kind: 'end' }
}

/**
 * Cases 2 and 3. A token of a later generation rests as well: recovery counts as a hand-out, because somebody may be on
 * his way with the token before it, and an advance at once would leave him two behind and so end his session.
 */
function rests(session: Session, presented: PresentedToken, windowMs: number, nowMs: number): boolean {
  if (!session.rotation) return presented.generation === session.generation
  return ageMs(session.handedOutAtMs, nowMs) < windowMs
}

function advance(session: Session, presented: PresentedToken, generation: number): RefreshDecision {
  // A key equal to that of the rotation before counts as none: it would belong to two tokens at once.
  const attemptKey = presented.attemptKey === session.attemptKey ? null : presented.attemptKey
  const recovered = presented.generation > session.generation
  return { kind: 'advance', generation, attemptKey, recovered }
}

/**
 * A view for `decideRefresh` after the clock went forward in steps: rotation and hand-out are dated later by each that came after
 * them, so that they are as old as the time that has passed. Else a retry across a step would count as reuse. A date between the two ends
 * of a step is of an instance that had not followed it yet. The ends of a session stay where they are.
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
  // The clock may have been set back since, and the store never sets this date back.
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

/** A clock that stepped back makes nothing older than new. */
function ageMs(sinceMs: number, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs)
}
