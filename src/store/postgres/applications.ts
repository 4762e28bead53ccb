import { type Application, DEFAULT_APPLICATION_ID, changedApplication } from '../../core/application.ts'
import { APPLICATION_COLUMNS, type Row, applicationFrom, countValidKeys } from '../rows.ts'
import type { ApplicationStore, NewApplication } from '../store.ts'
import type { Connection, Sql } from './connection.ts'
import { isDuplicate } from './errors.ts'
import { LOCK, lock } from './locks.ts'

/** The verbs about applications; guarantees in `store.ts`. */
export function applicationStore(connection: Connection): ApplicationStore {
  return {
    async findApplicationByKey(keyHash) {
      const [row] = await connection.rows(
        `select ${APPLICATION_COLUMNS} from application_keys k join applications p using (application_id)
         where k.key_hash = $1 and (k.expires_at_ms is null or k.expires_at_ms > $2)`,
        keyHash,
        connection.clock.nowMs(),
      )
      return row === undefined ? null : applicationFrom(row)
    },

    async findApplication(applicationId) {
      const [row] = await connection.rows(
        `select ${APPLICATION_COLUMNS} from applications p where p.application_id = $1`,
        applicationId,
      )
      return row === undefined ? null : applicationFrom(row)
    },

    async listApplications() {
      const rows = await connection.rows(
        `select ${APPLICATION_COLUMNS} from applications p order by p.application_id`,
      )
      return rows.map((row) => applicationFrom(row))
    },

    async createApplication(application, keyHash) {
      try {
        return await connection.transaction(async (sql) => {
          const created = await insert(sql, application)
          if (keyHash !== null) await addKey(connection, sql, created.applicationId, keyHash)
          return created
        })
      } catch (error) {
        if (isDuplicate(error, 'applications_client_id_key')) return 'client-id-taken'
        throw error
      }
    },

    changeApplication: (applicationId, change) =>
      connection.transaction(async (sql) => {
        const before = await lockedApplication(sql, applicationId)
        return before === null ? null : update(sql, changedApplication(before, change))
      }),

    addApplicationKey: (applicationId, keyHash, othersExpireAtMs) =>
      connection.transaction(async (sql) => {
        // Of two keys added at once, the second must see the first to set its expiry.
        await lockedApplication(sql, applicationId)
        if (othersExpireAtMs !== null) {
          await sql.rows(
            `update application_keys set expires_at_ms = least(coalesce(expires_at_ms, $1), $1)
             where application_id = $2`,
            othersExpireAtMs,
            applicationId,
          )
        }
        await addKey(connection, sql, applicationId, keyHash)
      }),

    addDefaultApplication: (application, keyHash) =>
      connection.transaction(async (sql) => {
        const added = await sql.count(
          `insert into applications (application_id, ${DESCRIBED})
           values (${DEFAULT_APPLICATION_ID}, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
          ...described(application),
        )
        if (added === 1) await addKey(connection, sql, DEFAULT_APPLICATION_ID, keyHash)
        return added === 1
      }),

    putDefaultApplication: (application, keyHash) =>
      connection.transaction(async (sql) => {
        // For instances that start together: `on conflict (application_id)` does not cover the unique client id.
        await lock(sql, LOCK.defaultApplication)
        const owners = await sql.count(
          'select 1 from application_keys where key_hash = $1 and application_id <> $2',
          keyHash,
          DEFAULT_APPLICATION_ID,
        )
        if (owners > 0) return null
        await putDefault(sql, application)
        // The settings name the only key; all other keys of this application stop working.
        const others = await sql.rows(
          'delete from application_keys where application_id = $1 and key_hash <> $2 returning expires_at_ms',
          DEFAULT_APPLICATION_ID,
          keyHash,
        )
        await addKey(connection, sql, DEFAULT_APPLICATION_ID, keyHash)
        return { replacedKeys: countValidKeys(others, connection.clock.nowMs()) }
      }),
  }
}

/** The columns that the creator of an application chooses, in the order of `described`. */
const DESCRIBED = `client_id, name, type, trusted_backend, rotation, parallel_window_seconds, retry_window_seconds,
  idle_seconds, session_ttl_seconds, access_token_ttl_seconds, require_key_on_refresh`

function described(application: NewApplication): readonly unknown[] {
  return [
    application.clientId,
    application.name,
    application.type,
    application.trustedBackend,
    application.rotation,
    application.parallelWindowSeconds,
    application.retryWindowSeconds,
    application.idleSeconds,
    application.sessionTtlSeconds,
    application.accessTokenTtlSeconds,
    application.requireKeyOnRefresh,
  ]
}

async function insert(sql: Sql, application: NewApplication): Promise<Application> {
  const [row] = await sql.rows(
    `insert into applications as p (${DESCRIBED}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     returning ${APPLICATION_COLUMNS}`,
    ...described(application),
  )
  return applicationFrom(row as Row)
}

async function putDefault(sql: Sql, application: NewApplication): Promise<void> {
  await sql.rows(
    `insert into applications (application_id, ${DESCRIBED})
     values (${DEFAULT_APPLICATION_ID}, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (application_id) do update set (${DESCRIBED}) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    ...described(application),
  )
}

async function update(sql: Sql, application: Application): Promise<Application> {
  const [row] = await sql.rows(
    `update applications p set (${DESCRIBED}) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11),
     disabled = $12, epoch = $13 where application_id = $14 returning ${APPLICATION_COLUMNS}`,
    ...described(application),
    application.disabled,
    application.epoch,
    application.applicationId,
  )
  return applicationFrom(row as Row)
}

/** Reads an application and locks its row until the transaction ends: nobody else changes it, and sign-ins wait. */
async function lockedApplication(sql: Sql, applicationId: number): Promise<Application | null> {
  const [row] = await sql.rows(
    `select ${APPLICATION_COLUMNS} from applications p where p.application_id = $1 for no key update`,
    applicationId,
  )
  return row === undefined ? null : applicationFrom(row)
}

async function addKey(
  connection: Connection,
  sql: Sql,
  applicationId: number,
  keyHash: string,
): Promise<void> {
  await sql.rows(
    `insert into application_keys as k (key_hash, application_id, created_at_ms) values ($1, $2, $3)
     on conflict (key_hash) do update set expires_at_ms = null where k.application_id = excluded.application_id`,
    keyHash,
    applicationId,
    connection.clock.nowMs(),
  )
}
