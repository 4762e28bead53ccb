import { StoreUnavailable } from './store.ts'

/** Too many wait for the store already; nothing of the call has happened. */
export class StoreBusy extends StoreUnavailable {
  override name = 'StoreBusy'

  constructor() {
    // Thrown by the thousand when there is no time for it: where it comes from is known, and a stack costs a quarter of a refresh.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super('too many requests wait for the store')
    Error.stackTraceLimit = limit
  }
}
