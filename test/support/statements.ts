/**
 * Counts what this process asks SQLite for requests (about sessions, accounts, keys of applications, guesses), by watching the driver itself;
 * so a test can show that a request did not touch the database.
 */
import { StatementSync } from 'node:sqlite'

/** Whoever reads a session or an account, also one that is in memory, asks the version of the database first. */
const ABOUT_REQUESTS = /\b(data_version|sessions|accounts|application_keys|guards|buckets|known_addresses)\b/
/** What the service does by itself from time to time. */
const UPKEEP = /expires_at_ms <= |active_at_ms/

export interface Statements {
  /** How many were run since `reset`. */
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
