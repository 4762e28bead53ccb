/** Decides about all requests of a batch for one session, one after the other. Nothing is written here. */
import type { Session, SessionView } from '../../core/session.ts'
import { decideOnce } from '../decide-once.ts'
import type { Clock, RefreshOutcome, RefreshRequest } from '../store.ts'

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
    try {
      const outcome = decideOnce(view, job.request, clock)
      answers.push([job, outcome])
      if (outcome.view === null || outcome.view === view) continue
      view = outcome.view
      deadlineMs = Math.min(deadlineMs, job.request.deadlineMs)
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
