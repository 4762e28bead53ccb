import type { Log } from '../../operations/log.ts'
import { Overloaded } from '../../passwords/work-queue.ts'
import { StoreUnavailable } from '../../store/store.ts'
import { StoreBusy } from '../../store/store-busy.ts'
import { type Answer, json } from '../answer.ts'
import { UNAVAILABLE } from './denials.ts'

const PRODUCTION = json(500, { status: 'error', message: 'Internal Server Error' })

/** Logs what a handler threw and answers it: 503 if the store or a queue cannot take the request now, else 500. */
export function faultAnswer(
  error: unknown,
  route: string,
  mode: 'production' | 'development',
  log: Log,
): Answer {
  // Not logged: a line for each would add to the load. The metrics count these answers.
  if (error instanceof Overloaded || error instanceof StoreBusy) return UNAVAILABLE
  if (error instanceof StoreUnavailable) {
    log.warn({ event: 'store-unavailable', route, reason: error.message }, 'The store cannot answer')
    return UNAVAILABLE
  }
  const stack = error instanceof Error ? error.stack : String(error)
  log.error({ event: 'fault', route, stack }, 'A request failed')
  if (mode === 'production') return PRODUCTION
  const message = error instanceof Error ? error.message : String(error)
  return json(500, { status: 'error', type: 'exception', message })
}
