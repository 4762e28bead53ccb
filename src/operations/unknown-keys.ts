import type { Log } from './log.ts'

/** Whoever tries keys must not fill the log. */
const LINE_EVERY_MS = 60_000
/** In a line: somebody with many addresses must not make it long, and hides a backend only if he comes first. */
const MOST_ADDRESSES = 20

/** Logs requests with keys that open nothing: the first at once, what comes within a minute of a line at the end of that minute. */
export class UnknownKeys {
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
    if (this.#timer === null) this.#tellNowAndThen()
  }

  /** Logs what waits for its minute to end. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#tell()
  }

  /** Until a minute has nothing to tell. */
  #tellNowAndThen(): void {
    const goesOn = this.#tell()
    this.#timer = goesOn ? setTimeout(() => this.#tellNowAndThen(), LINE_EVERY_MS).unref() : null
  }

  /** Whether there was something to tell. */
  #tell(): boolean {
    if (this.#requests === 0) return false
    this.#log.warn(
      { event: 'unknown-key', addresses: [...this.#addresses], requests: this.#requests },
      'Requests came with a key that is unknown, has ended or is of a disabled application',
    )
    this.#requests = 0
    this.#addresses.clear()
    return true
  }
}
