import { StoreUnavailable } from './store.ts'

/** Too many requests wait for the store already. Nothing of the call has happened. */
export class StoreBusy extends StoreUnavailable {
  override name = 'StoreBusy'

  constructor() {
    // Without a stack, which costs a quarter of a refresh: an overloaded store throws this by the thousand, and its
    // origin is known.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super('too many requests wait for the store')
    Error.stackTraceLimit = limit
  }
}
