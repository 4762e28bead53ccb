import { type Events, isEveryday } from '../usecases/events.ts'
import type { ActionRecorder } from './action-recorder.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { RefusedCredentials } from './refused-credentials.ts'

/** Records and counts what happens, and logs what matters for security, a line each. */
export function createEvents(
  log: Log,
  metrics: Metrics,
  recorder: ActionRecorder,
  refused: RefusedCredentials,
): Events {
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
    unknownKey: (address) => refused.unknownKeys.count(address),
    invalidToken: (address) => refused.invalidTokens.count(address),
    wrongAccountKey: (address) => refused.wrongAccountKeys.count(address),
    flush: () => recorder.flush(),
  }
}
