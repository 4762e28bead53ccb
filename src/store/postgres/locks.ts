import type { Sql } from './connection.ts'

/** ASCII "dukt": keeps our advisory locks apart from those of other programs in the same database. */
const NAMESPACE = 0x64756b74

/** What only one transaction at a time may do, across all instances. */
export const LOCK = {
  migrations: 1,
  superAdmins: 2,
  signingKeys: 3,
  actions: 4,
  defaultApplication: 5,
} as const

/** Waits for a lock and holds it until the transaction ends. */
export async function lock(sql: Sql, which: (typeof LOCK)[keyof typeof LOCK]): Promise<void> {
  await sql.rows('select pg_advisory_xact_lock($1, $2)', NAMESPACE, which)
}
