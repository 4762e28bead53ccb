import { addressKey } from '../core/address.ts'
import { type Events, isEveryday } from '../usecases/events.ts'
import type { ActionRecorder } from './action-recorder.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { RefusedCredentials } from './refused-credentials.ts'

const MINUTE_MS = 60_000
const MOST_KEYS = 10_000

/** Records and counts what happens, and logs what matters for security, a line each. */
export function createEvents(
  log: Log,
  metrics: Metrics,
  recorder: ActionRecorder,
  refused: RefusedCredentials,
): Events {
  const isFirst = firstOfMinute()
  return {
    action(action) {
      const { code, message, accountId, sessionId = null, address = null, isSuspicious = false } = action
      metrics.action(code)
      // Whoever is locked out may go on trying as fast as the line allows.
      if (code === 'Auth->Locked' && !isFirst(`${accountId} ${addressKey(address ?? '')}`)) return
      recorder.action(action)
      if (isEveryday(code)) return
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

/** Tells whether nothing with this key came in the present minute; a minute with very many keys counts as over. */
function firstOfMinute(): (key: string) => boolean {
  let keys = new Set<string>()
  let sinceMs = performance.now()
  return (key) => {
    const nowMs = performance.now()
    if (nowMs - sinceMs >= MINUTE_MS || keys.size >= MOST_KEYS) {
      keys = new Set()
      sinceMs = nowMs
    }
    if (keys.has(key)) return false
    keys.add(key)
    return true
  }
}
