import { type Events, isEveryday } from '../usecases/events.ts'
import type { ActionRecorder } from './action-recorder.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** Whoever tries keys must not fill the log. */
const KEY_LINE_EVERY_MS = 60_000

/** Records and counts what happens, and logs what matters for security, a line each. */
export function createEvents(log: Log, metrics: Metrics, recorder: ActionRecorder): Events {
  let lastKeyLineMs = Number.NEGATIVE_INFINITY
  let unknownKeys = 0
  return {
    action(action) {
      metrics.action(action.code)
      recorder.action(action)
      if (isEveryday(action.code)) return
      const { code, message, accountId, sessionId = null, address = null, isSuspicious = false } = action
      const level = isSuspicious ? 'warn' : 'info'
      log[level]({ event: code, accountId, sessionId, address }, message)
    },
    refresh: (result) => metrics.refresh(result),
    unknownKey(address) {
      unknownKeys++
      if (performance.now() - lastKeyLineMs < KEY_LINE_EVERY_MS) return
      lastKeyLineMs = performance.now()
      log.warn(
        { event: 'unknown-key', address, requests: unknownKeys },
        'Requests came with a key that is unknown, has ended or is of a disabled application; the last one from this address',
      )
      unknownKeys = 0
    },
    flush: () => recorder.flush(),
  }
}
