import { NO_SESSION, WRONG_APPLICATION } from '../core/denial.ts'
import { acrossLeaps, carriedOut } from '../core/refresh.ts'
import type { SessionView } from '../core/session.ts'
import { type Clock, type RefreshOutcome, type RefreshRequest, StoreUnavailable } from './store.ts'

/**
 * Decides about one refresh, for both engines. `view` is the committed session; null if there is none. If the outcome
 * has another view, the caller writes its session.
 * @throws {StoreUnavailable} after the request's deadline
 */
export function decideOnce(view: SessionView | null, request: RefreshRequest, clock: Clock): RefreshOutcome {
  const nowMs = clock.nowMs()
  if (nowMs > request.deadlineMs)
    throw new StoreUnavailable('the refresh waited too long for its turn and was not carried out')
  if (view === null) return { decision: { kind: 'deny', denial: NO_SESSION }, view, nowMs }
  if (request.applicationId !== null && view.session.applicationId !== request.applicationId)
    return { decision: { kind: 'deny', denial: WRONG_APPLICATION }, view, nowMs }
  const decision = request.decide(acrossLeaps(view, clock), request.presented, nowMs)
  const session = carriedOut(view.session, decision, request.kid, nowMs)
  return { decision, view: session === view.session ? view : { ...view, session }, nowMs }
}
