/** Decides about all requests of a batch for one session, one after the other. Nothing is written here. */
import { NO_SESSION } from '../../core/denial.ts'
import { acrossLeaps, carriedOut } from '../../core/refresh.ts'
import type { Session, SessionView } from '../../core/session.ts'
import { type Clock, type RefreshOutcome, type RefreshRequest, StoreUnavailable } from '../store.ts'

/** A request on its way, with the two ends of its promise. */
export interface RefreshJob {
  readonly request: RefreshRequest
  readonly resolve: (outcome: RefreshOutcome) => void
  readonly reject: (error: unknown) => void
  /** How often the job was decided and another writer was faster. */
  lostRaces: number
  /** Its index in the array of jobs whose deadlines are watched. */
  watchIndex: number
}

/** Decisions based on one committed row. If there is a `write`, they hold only if it can still be applied. */
export interface Chain {
  readonly jobs: readonly RefreshJob[]
  readonly answers: readonly (readonly [RefreshJob, RefreshOutcome])[]
  /** The row before and after the decisions; null when they leave it as it is. */
  readonly write: { readonly before: Session; readonly after: Session; readonly deadlineMs: number } | null
}

export function decideChain(jobs: readonly RefreshJob[], committed: SessionView | null, clock: Clock): Chain {
  const answers: [RefreshJob, RefreshOutcome][] = []
  let view = committed
  let deadlineMs = Number.POSITIVE_INFINITY
  for (const job of jobs) {
    const { request } = job
    const nowMs = clock.nowMs()
    if (nowMs > request.deadlineMs) {
      job.reject(new StoreUnavailable('the refresh waited too long for its turn and was not carried out'))
      continue
    }
    const foreign = request.applicationId !== null && view?.session.applicationId !== request.applicationId
    if (view === null || foreign) {
      answers.push([job, { decision: { kind: 'deny', denial: NO_SESSION }, view: null, nowMs }])
      continue
    }
    try {
      const decision = request.decide(acrossLeaps(view, clock), request.presented, nowMs)
      const session = carriedOut(view.session, decision, request.kid, nowMs)
      if (session !== view.session) {
        view = { ...view, session }
        deadlineMs = Math.min(deadlineMs, request.deadlineMs)
      }
      answers.push([job, { decision, view, nowMs }])
    } catch (error) {
      job.reject(error)
    }
  }
  const write =
    committed === null || view === null || view === committed
      ? null
      : { before: committed.session, after: view.session, deadlineMs }
  return { jobs, answers, write }
}
