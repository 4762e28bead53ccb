/** What is asked of a connection, until it is done. */
export interface Read {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface Job extends Read {
  readonly deadlineMs: number
  /** Writes one statement at most, so that there is nothing to take back when it throws. */
  readonly single: boolean
  outcome?: { readonly value: unknown } | { readonly error: unknown }
}

export function settle(job: Job): void {
  const { outcome } = job
  if (outcome !== undefined && 'value' in outcome) job.resolve(outcome.value)
  else job.reject(outcome?.error)
}
