import type { Connection } from './connection.ts'

/** Then they are written, however young they are: a transaction stays short. */
const MOST_WAITING = 256
const LONGEST_WAIT_MS = 250

export interface LastUses {
  /** Notes that a session was used. Not durable yet. */
  note(sessionId: string, atMs: number): void
  /** Writes what is noted with the next transaction. */
  write(): void
}

/**
 * Dates of last use that nobody waits for: of sessions that may rest as long as they like, whose dates are only shown.
 * A few hundred are written together, so that a refresh which changes nothing else needs no sync of the disk. What a crash
 * takes along is written at the next refresh.
 */
export function lastUses(connection: Connection): LastUses {
  let waiting = new Map<string, number>()
  let timer: NodeJS.Timeout | null = null

  function write(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const uses = waiting
    waiting = new Map()
    if (uses.size === 0) return
    connection
      .write(() => {
        const statement = connection.sql(
          'update sessions set last_used_at_ms = ?1 where session_id = ?2 and ended_at_ms is null and last_used_at_ms < ?1',
        )
        for (const [sessionId, atMs] of uses) statement.run(atMs, sessionId)
      })
      // A store that cannot write says so to those who wait for an answer.
      .catch(() => {})
  }

  return {
    note(sessionId, atMs) {
      waiting.set(sessionId, atMs)
      // Not at once: a transaction runs, and this is to be the next.
      if (waiting.size === MOST_WAITING) setImmediate(write)
      else timer ??= setTimeout(write, LONGEST_WAIT_MS).unref()
    },
    write,
  }
}
