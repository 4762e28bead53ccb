import type { Session } from '../../core/session.ts'

/** The columns of a session that a refresh changes, unless it ends it. */
export type Tail = Pick<
  Session,
  'generation' | 'rotatedAtMs' | 'handedOutAtMs' | 'kid' | 'attemptKey' | 'repeats' | 'lastUsedAtMs'
>

/** The newest tail of each of many sessions, which can be taken out in the order of their ids. */
export class Tails {
  readonly #bySession = new Map<string, Tail>()
  /** Ids by their first two characters, which are random: so never more than a few have to be sorted at a time. */
  #buckets: (string[] | undefined)[] = []
  #bucket = 0
  /** The ids that come next, in order. */
  #next: string[] = []

  /** How many have not been taken out. */
  left = 0

  get(sessionId: string): Tail | undefined {
    return this.#bySession.get(sessionId)
  }

  has(sessionId: string): boolean {
    return this.#bySession.has(sessionId)
  }

  /** Not once taking out has begun. */
  put(sessionId: string, tail: Tail): void {
    const before = this.#bySession.size
    this.#bySession.set(sessionId, tail)
    if (this.#bySession.size === before) return
    const bucket = ((sessionId.charCodeAt(0) & 127) << 7) | (sessionId.charCodeAt(1) & 127)
    this.#buckets[bucket] ??= []
    this.#buckets[bucket].push(sessionId)
    this.left += 1
  }

  /** The next ids, at most `count`. They stay until they are taken out. */
  peek(count: number): readonly string[] {
    while (this.#next.length < count && this.#bucket < this.#buckets.length) {
      const ids = this.#buckets[this.#bucket]
      this.#bucket += 1
      if (ids !== undefined) this.#next = this.#next.concat(ids.sort())
    }
    return this.#next.slice(0, count)
  }

  takeOut(count: number): void {
    this.#next = this.#next.slice(count)
    this.left -= count
  }
}
