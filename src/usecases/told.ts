import { Unjournaled } from '../store/store.ts'

/**
 * What a verb of the store came to. `tell` hears of it also when the journal behind the store could not be written: it has happened
 * all the same, and whoever asks again finds nothing left to do, so that nobody would ever record it.
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
