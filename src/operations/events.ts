import { type Events, isEveryday } from '../usecases/events.ts'
import type { ActionRecorder } from './action-recorder.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** Whoever tries keys must not fill the log. */
const KEY_LINE_EVERY_MS = 60_000
/** A line of them: somebody with many addresses must not make it long, and hides a backend only if he comes first. */
const MOST_ADDRESSES = 20

/** Records and counts what happens, and logs what matters for security, a line each. */
export function createEvents(log: Log, metrics: Metrics, recorder: ActionRecorder): Events {
  const unknownKeys = new UnknownKeys(log)
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
    unknownKey: (address) => unknownKeys.count(address),
    flush: () => recorder.flush(),
  }
}

/** The first one is told at once, what comes within a minute of a line at the end of that minute. */
class UnknownKeys {
  readonly #log: Log
  readonly #addresses = new Set<string>()
  #requests = 0
  #timer: NodeJS.Timeout | null = null

  constructor(log: Log) {
    this.#log = log
  }

  count(address: string): void {
    this.#requests++
    if (this.#addresses.size < MOST_ADDRESSES) this.#addresses.add(address)
    if (this.#timer === null) this.#tell()
  }

  #tell(): void {
    this.#timer = null
    if (this.#requests === 0) return
    this.#log.warn(
      { event: 'unknown-key', addresses: [...this.#addresses], requests: this.#requests },
      'Requests came with a key that is unknown, has ended or is of a disabled application',
    )
    this.#requests = 0
    this.#addresses.clear()
    this.#timer = setTimeout(() => this.#tell(), KEY_LINE_EVERY_MS).unref()
  }
}
