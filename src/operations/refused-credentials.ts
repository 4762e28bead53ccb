import type { Log } from './log.ts'

/** An attacker who tries out keys or tokens must not fill the log. */
const LINE_EVERY_MS = 60_000
/**
 * The most addresses in a line: an attacker with many must not make it long, and hides a backend only by coming first.
 */
const MOST_ADDRESSES = 20

/** Counts requests with refused credentials, for the log. */
export interface RefusedCredentials {
  readonly unknownKeys: TalliedLine
  readonly invalidTokens: TalliedLine
  readonly wrongAccountKeys: TalliedLine
  /** Logs what still waits for its minute to end. */
  stop(): void
}

export function refusedCredentials(log: Log): RefusedCredentials {
  const unknownKeys = new TalliedLine(
    log,
    'unknown-key',
    'Requests came with a key that is unknown, has ended, or is of a disabled application or another than their token',
  )
  const invalidTokens = new TalliedLine(
    log,
    'invalid-token',
    'Requests came with tokens that are forged, cut, or signed with a key that is no more',
  )
  const wrongAccountKeys = new TalliedLine(
    log,
    'legacy-account-key',
    'Refresh tokens of the original came with its signature but another account key: DUKTIG_LEGACY_ACCOUNT_KEY may not be the original’s',
  )
  return {
    unknownKeys,
    invalidTokens,
    wrongAccountKeys,
    stop() {
      for (const line of [unknownKeys, invalidTokens, wrongAccountKeys]) line.stop()
    },
  }
}

/** One line about many requests: the first request is logged at once, those in the minute after a line at its end. */
export class TalliedLine {
  readonly #log: Log
  readonly #event: string
  readonly #message: string
  readonly #addresses = new Set<string>()
  #requests = 0
  #timer: NodeJS.Timeout | null = null

  constructor(log: Log, event: string, message: string) {
    this.#log = log
    this.#event = event
    this.#message = message
  }

  count(address: string): void {
    this.#requests++
    if (this.#addresses.size < MOST_ADDRESSES) this.#addresses.add(address)
    if (this.#timer === null) this.#tellNowAndThen()
  }

  /** Logs what still waits for its minute to end. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#tell()
  }

  /** Logs at once, and again each minute until one passes without a request. */
  #tellNowAndThen(): void {
    const goesOn = this.#tell()
    this.#timer = goesOn ? setTimeout(() => this.#tellNowAndThen(), LINE_EVERY_MS).unref() : null
  }

  /** False if there was nothing to log. */
  #tell(): boolean {
    if (this.#requests === 0) return false
    this.#log.warn(
      { event: this.#event, addresses: [...this.#addresses], requests: this.#requests },
      this.#message,
    )
    this.#requests = 0
    this.#addresses.clear()
    return true
  }
}
