import { KEY_COLUMNS, keyFrom } from '../rows.ts'
import type { KeyStore, StoredKey } from '../store.ts'
import type { Connection, Sql } from './connection.ts'
import { LOCK, lock } from './locks.ts'

/** When other keys retire: at `$1`, but refresh keys not before the absolute end of the last session. */
const OTHERS_RETIRE = `greatest($1, case when purpose = 'refresh' then (select max(expires_at_ms) from sessions) end)`

/** The verbs about signing keys; guarantees in `store.ts`. */
export function keyStore(connection: Connection): KeyStore {
  return {
    async listKeys() {
      const rows = await connection.rows(`select ${KEY_COLUMNS} from signing_keys order by active_at_ms, kid`)
      return rows.map(keyFrom)
    },

    addFirstKey: (key) =>
      connection.transaction(async (sql) => {
        await lock(sql, LOCK.signingKeys)
        const existing = await sql.rows(
          'select 1 from signing_keys where purpose = $1 and algorithm = $2 and retire_at_ms is null',
          key.purpose,
          key.algorithm,
        )
        if (existing.length === 0) await insert(sql, key)
      }),

    rotateKey: (key, othersRetireAtMs) =>
      connection.transaction(async (sql) => {
        // Without the lock, two concurrent rotations would not see, and so not retire, each other's key.
        await lock(sql, LOCK.signingKeys)
        await sql.rows(
          `update signing_keys set retire_at_ms = ${OTHERS_RETIRE}
           where purpose = $2 and algorithm = $3 and retire_at_ms is null`,
          othersRetireAtMs,
          key.purpose,
          key.algorithm,
        )
        await insert(sql, key)
      }),

    retireOtherAlgorithms: (purpose, algorithm, retireAtMs) =>
      connection.transaction(async (sql) => {
        await sql.rows(
          `update signing_keys set retire_at_ms = $1
           where purpose = $2 and algorithm <> $3 and retire_at_ms is null`,
          retireAtMs,
          purpose,
          algorithm,
        )
      }),

    removeRetiredKeys: () =>
      connection.transaction(async (sql) => {
        const rows = await sql.rows(
          'delete from signing_keys where retire_at_ms <= $1 returning kid',
          connection.clock.nowMs(),
        )
        return rows.map(([kid]) => kid as string)
      }),
  }
}

async function insert(sql: Sql, key: StoredKey): Promise<void> {
  await sql.rows(
    `insert into signing_keys (${KEY_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)`,
    key.kid,
    key.purpose,
    key.algorithm,
    key.sealed,
    key.createdAtMs,
    key.activeAtMs,
    key.retireAtMs,
  )
}

/** Adds a key in the caller's transaction unless it exists, and retires older ones of its kind if a time is given. */
export async function replayKey(
  sql: Sql,
  key: StoredKey,
  othersRetireAtMs: number | undefined,
): Promise<void> {
  if (othersRetireAtMs !== undefined) {
    await sql.rows(
      `update signing_keys set retire_at_ms = ${OTHERS_RETIRE}
       where purpose = $2 and algorithm = $3 and created_at_ms < $4
       and retire_at_ms is null`,
      othersRetireAtMs,
      key.purpose,
      key.algorithm,
      key.createdAtMs,
    )
  }
  const existing = await sql.rows('select 1 from signing_keys where kid = $1', key.kid)
  if (existing.length === 0) await insert(sql, key)
}
