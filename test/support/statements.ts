/**
 * Counts the statements about sessions, accounts, application keys and guesses that this process runs on SQLite, by
 * watching the driver itself. So a test can show that a request did not touch the database.
 */
import { StatementSync } from 'node:sqlite'

/** A read of a session or account, even of one in memory, asks for the database's `data_version` first. */
const ABOUT_REQUESTS = /\b(data_version|sessions|accounts|application_keys|guards|buckets|known_addresses)\b/
/** Statements of the periodic upkeep, which do not count. */
const UPKEEP = /expires_at_ms <= |active_at_ms/

export interface Statements {
  /** The number of statements since `reset`. */
  count(): number
  reset(): void
  /** Ends the watch. */
  restore(): void
}

export function watchStatements(): Statements {
  let counted = 0
  const methods = ['get', 'all', 'run'] as const
  const originals = methods.map((name) => StatementSync.prototype[name])
  for (const [i, name] of methods.entries()) {
    const original = originals[i] as (this: StatementSync, ...values: never[]) => unknown
    Object.assign(StatementSync.prototype, {
      [name](this: StatementSync, ...values: never[]) {
        if (ABOUT_REQUESTS.test(this.sourceSQL) && !UPKEEP.test(this.sourceSQL)) counted++
        return original.apply(this, values)
      },
    })
  }
  return {
    count: () => counted,
    reset: () => {
      counted = 0
    },
    restore: () => {
      for (const [i, name] of methods.entries())
        Object.assign(StatementSync.prototype, { [name]: originals[i] })
    },
  }
}
