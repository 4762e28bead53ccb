import { NO_SESSION } from '../core/denial.ts'
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
  const foreign = request.applicationId !== null && view?.session.applicationId !== request.applicationId
  if (view === null || foreign) return { decision: { kind: 'deny', denial: NO_SESSION }, view: null, nowMs }
  const decision = request.decide(acrossLeaps(view, clock), request.presented, nowMs)
  const session = carriedOut(view.session, decision, request.kid, nowMs)
  return { decision, view: session === view.session ? view : { ...view, session }, nowMs }
}
