/** Work for a connection, and the promise to settle once it is done. */
export interface Read {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface Job extends Read {
  readonly deadlineMs: number
  /** Runs at most one statement that writes, so that nothing has to be undone when it throws. */
  readonly single: boolean
  outcome?: { readonly value: unknown } | { readonly error: unknown }
}

export function settle(job: Job): void {
  const { outcome } = job
  if (outcome !== undefined && 'value' in outcome) job.resolve(outcome.value)
  else job.reject(outcome?.error)
}
