import { type Application, DEFAULT_APPLICATION_ID, changedApplication } from '../../core/application.ts'
import {
  APPLICATION_COLUMNS,
  RETURNED_APPLICATION_COLUMNS,
  type Row,
  applicationFrom,
  countValidKeys,
} from '../rows.ts'
import type { ApplicationStore, NewApplication } from '../store.ts'
import type { Connection } from './connection.ts'
import { isDuplicate } from './errors.ts'

/** The verbs about applications; guarantees in `store.ts`. */
export function applicationStore(connection: Connection): ApplicationStore {
  return {
    async findApplicationByKey(keyHash) {
      const statement = connection.sql(
        `select ${APPLICATION_COLUMNS} from application_keys k join applications p using (application_id)
         where k.key_hash = ? and (k.expires_at_ms is null or k.expires_at_ms > ?)`,
      )
      const row = connection.read(() => statement.get(keyHash, connection.clock.nowMs()) as Row | undefined)
      return row === undefined ? null : applicationFrom(row)
    },

    async findApplication(applicationId) {
      return connection.read(() => applicationWithin(connection, applicationId))
    },

    async listApplications() {
      const select = `select ${APPLICATION_COLUMNS} from applications p order by application_id`
      return connection.read(() => connection.rows(select)).map(applicationFrom)
    },

    createApplication: (application, keyHash) =>
      connection.write(() => {
        try {
          const created = insert(connection, null, application)
          if (keyHash !== null) addKey(connection, created.applicationId, keyHash)
          return created
        } catch (error) {
          if (isDuplicate(error, 'client_id')) return 'client-id-taken'
          throw error
        }
      }),

    changeApplication: (applicationId, change) =>
      connection.write(() => {
        const before = applicationWithin(connection, applicationId)
        if (before === null) return null
        const after = changedApplication(before, change)
        update(connection, after)
        return after
      }),

    addApplicationKey: (applicationId, keyHash, othersExpireAtMs) =>
      connection.write(() => {
        if (othersExpireAtMs !== null) {
          connection.run(
            `update application_keys set expires_at_ms = min(coalesce(expires_at_ms, ?1), ?1)
             where application_id = ?2`,
            othersExpireAtMs,
            applicationId,
          )
        }
        addKey(connection, applicationId, keyHash)
      }),

    addDefaultApplication: (application, keyHash) =>
      connection.write(() => {
        if (applicationWithin(connection, DEFAULT_APPLICATION_ID) !== null) return false
        insert(connection, DEFAULT_APPLICATION_ID, application)
        addKey(connection, DEFAULT_APPLICATION_ID, keyHash)
        return true
      }),

    putDefaultApplication: (application, keyHash) =>
      connection.write(() => {
        const owner = connection.row(
          'select 1 from application_keys where key_hash = ? and application_id <> ?',
          keyHash,
          DEFAULT_APPLICATION_ID,
        )
        if (owner !== undefined) return null
        const before = applicationWithin(connection, DEFAULT_APPLICATION_ID)
        if (before === null) insert(connection, DEFAULT_APPLICATION_ID, application)
        else update(connection, { ...before, ...application })
        // The settings name one key: no other key opens this application any longer.
        const others = connection.rows(
          'delete from application_keys where application_id = ? and key_hash <> ? returning expires_at_ms',
          DEFAULT_APPLICATION_ID,
          keyHash,
        )
        addKey(connection, DEFAULT_APPLICATION_ID, keyHash)
        return { replacedKeys: countValidKeys(others, connection.clock.nowMs()) }
      }),
  }
}

/** An application inside the caller's transaction; null if there is none. */
export function applicationWithin(connection: Connection, applicationId: number): Application | null {
  const row = connection.row(
    `select ${APPLICATION_COLUMNS} from applications p where p.application_id = ?`,
    applicationId,
  )
  return row === undefined ? null : applicationFrom(row)
}

/**
 * As `applicationWithin`, but read once for all requests that share the transaction: a batch of refreshes needs the
 * same few applications again and again. Code that changes an application empties `connection.applications`.
 */
export function applicationKept(connection: Connection, applicationId: number): Application | null {
  const { applications } = connection
  for (const [id, application] of applications) if (id === applicationId) return application
  const application = applicationWithin(connection, applicationId)
  applications.push([applicationId, application])
  return application
}

function insert(connection: Connection, id: number | null, application: NewApplication): Application {
  connection.applications.length = 0
  const row = connection.row(
    `insert into applications (application_id, client_id, name, type, trusted_backend, rotation,
     parallel_window_seconds, retry_window_seconds, idle_seconds, session_ttl_seconds, access_token_ttl_seconds,
     require_key_on_refresh) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     returning ${RETURNED_APPLICATION_COLUMNS}`,
    id,
    application.clientId,
    application.name,
    application.type,
    Number(application.trustedBackend),
    Number(application.rotation),
    application.parallelWindowSeconds,
    application.retryWindowSeconds,
    application.idleSeconds,
    application.sessionTtlSeconds,
    application.accessTokenTtlSeconds,
    Number(application.requireKeyOnRefresh),
  )
  return applicationFrom(row as Row)
}

function update(connection: Connection, application: Application): void {
  connection.applications.length = 0
  connection.run(
    `update applications set client_id = ?, name = ?, type = ?, disabled = ?, epoch = ?, trusted_backend = ?,
     rotation = ?, parallel_window_seconds = ?, retry_window_seconds = ?, idle_seconds = ?, session_ttl_seconds = ?,
     access_token_ttl_seconds = ?, require_key_on_refresh = ? where application_id = ?`,
    application.clientId,
    application.name,
    application.type,
    Number(application.disabled),
    application.epoch,
    Number(application.trustedBackend),
    Number(application.rotation),
    application.parallelWindowSeconds,
    application.retryWindowSeconds,
    application.idleSeconds,
    application.sessionTtlSeconds,
    application.accessTokenTtlSeconds,
    Number(application.requireKeyOnRefresh),
    application.applicationId,
  )
}

function addKey(connection: Connection, applicationId: number, keyHash: string): void {
  connection.run(
    `insert into application_keys (key_hash, application_id, created_at_ms) values (?, ?, ?)
     on conflict (key_hash) do update set expires_at_ms = null where application_id = excluded.application_id`,
    keyHash,
    applicationId,
    connection.clock.nowMs(),
  )
}
