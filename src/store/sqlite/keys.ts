import { KEY_COLUMNS, keyFrom } from '../rows.ts'
import type { KeyStore, StoredKey } from '../store.ts'
import type { Connection } from './connection.ts'

/** The verbs about signing keys; guarantees in `store.ts`. */
export function keyStore(connection: Connection): KeyStore {
  return {
    async listKeys() {
      const select = `select ${KEY_COLUMNS} from signing_keys order by active_at_ms, kid`
      return connection.read(() => connection.rows(select)).map(keyFrom)
    },

    addFirstKey: (key) =>
      connection.write(() => {
        const exists = connection.row(
          'select 1 from signing_keys where purpose = ? and algorithm = ? and retire_at_ms is null',
          key.purpose,
          key.algorithm,
        )
        if (exists === undefined) insert(connection, key)
      }),

    rotateKey: (key, othersRetireAtMs) =>
      connection.write(() => {
        connection.run(
          `update signing_keys set retire_at_ms = ?
           where purpose = ? and algorithm = ? and retire_at_ms is null`,
          othersRetire(connection, key, othersRetireAtMs),
          key.purpose,
          key.algorithm,
        )
        insert(connection, key)
      }),

    retireOtherAlgorithms: (purpose, algorithm, retireAtMs) =>
      connection.write(() => {
        connection.run(
          `update signing_keys set retire_at_ms = ?
           where purpose = ? and algorithm <> ? and retire_at_ms is null`,
          retireAtMs,
          purpose,
          algorithm,
        )
      }),

    removeRetiredKeys: () =>
      connection.write(() => {
        const rows = connection.rows(
          'delete from signing_keys where retire_at_ms <= ? returning kid',
          connection.clock.nowMs(),
        )
        return rows.map(([kid]) => kid as string)
      }),
  }
}

/** When the other keys retire: refresh keys not before the last absolute end of a session. */
function othersRetire(connection: Connection, key: StoredKey, atMs: number): number {
  if (key.purpose !== 'refresh') return atMs
  const row = connection.row('select coalesce(max(expires_at_ms), 0) from sessions')
  return Math.max(atMs, row?.[0] as number)
}

function insert(connection: Connection, key: StoredKey): void {
  connection.run(
    `insert into signing_keys (${KEY_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)`,
    key.kid,
    key.purpose,
    key.algorithm,
    key.sealed,
    key.createdAtMs,
    key.activeAtMs,
    key.retireAtMs,
  )
}

/**
 * Adds a key inside the caller's transaction unless it exists. If `othersRetireAtMs` is given, older keys of its purpose
 * and algorithm retire, at the time that `othersRetire` tells.
 */
export function replayKey(
  connection: Connection,
  key: StoredKey,
  othersRetireAtMs: number | undefined,
): void {
  if (othersRetireAtMs !== undefined) {
    connection.run(
      `update signing_keys set retire_at_ms = ? where purpose = ? and algorithm = ? and created_at_ms < ?
       and retire_at_ms is null`,
      othersRetire(connection, key, othersRetireAtMs),
      key.purpose,
      key.algorithm,
      key.createdAtMs,
    )
  }
  const exists = connection.row('select 1 from signing_keys where kid = ?', key.kid)
  if (exists === undefined) insert(connection, key)
}
