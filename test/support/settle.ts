import type { DatabaseSync } from 'node:sqlite'
import { SETTLE_ALL } from '../../src/store/sqlite/rotation-rows.ts'

/** Settles the rotation log into the session rows, for a test that reads or writes them beside the store. */
export function settle(database: DatabaseSync): void {
  database.exec(`begin immediate; ${SETTLE_ALL} commit`)
}
