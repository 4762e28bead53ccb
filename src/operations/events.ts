import type { ActionCode, Events } from '../usecases/events.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** What is logged, a line each, beside being counted: security events, not everyday reading. */
const LOGGED: ReadonlySet<ActionCode> = new Set<ActionCode>([
  'Auth->Authorize',
  'Auth->SignOut',
  'Auth->SessionEnded',
  'Auth->Refused',
  'Auth->Locked',
  'User->registerAccount',
  'User->endSessions',
  'Users->registerAccount',
  'Users->updateAccount',
  'Users->patchAccount',
  'Users->terminateAccount',
  'Users->endSessions',
  'Keys->rotate',
  'Applications->change',
])

/** Counts what happens and logs what matters for security. */
export function createEvents(log: Log, metrics: Metrics): Events {
  return {
    action(action) {
      metrics.action(action.code)
      if (!LOGGED.has(action.code)) return
      const { code, message, accountId, sessionId = null, address = null } = action
      log.info({ event: code, accountId, sessionId, address }, message)
    },
    refresh: (result) => metrics.refresh(result),
  }
}
