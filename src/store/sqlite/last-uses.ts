import type { Connection } from './connection.ts'

/** At this many, the dates are written without waiting longer, so that their transaction stays short. */
const MOST_WAITING = 256
const LONGEST_WAIT_MS = 250

export interface LastUses {
  /** Notes that a session was used. Not durable yet. */
  note(sessionId: string, atMs: number): void
  /** Writes the noted dates with the next transaction. */
  write(): void
}

/**
 * Dates of last use for which no request waits: those of sessions without an idle limit, whose dates are only shown. A
 * few hundred are written together, so that a refresh which changes nothing else needs no sync of the disk. A date that
 * a crash loses is written at the session's next refresh.
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
      // Requests that wait for the store learn of the failure themselves.
      .catch(() => {})
  }

  return {
    note(sessionId, atMs) {
      waiting.set(sessionId, atMs)
      // Not at once: the caller is within a transaction, and the dates belong to the next one.
      if (waiting.size === MOST_WAITING) setImmediate(write)
      else timer ??= setTimeout(write, LONGEST_WAIT_MS).unref()
    },
    write,
  }
}
