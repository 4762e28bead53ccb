import { Unjournaled } from '../store/store.ts'

/**
 * Returns the outcome of a store verb after passing it to `tell`. When only the journal could not be written, `tell` is
 * called as well before the error is thrown: the change has happened, and a retry finds nothing left to record.
 */
export async function told<T>(verb: Promise<T>, tell: (outcome: T) => void): Promise<T> {
  let outcome: T
  try {
    outcome = await verb
  } catch (error) {
    if (!(error instanceof Unjournaled)) throw error
    tell(error.outcome as T)
    throw error.cause
  }
  tell(outcome)
  return outcome
}
