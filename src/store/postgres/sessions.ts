import type { Account } from '../../core/account.ts'
import type { SessionView } from '../../core/session.ts'
import { listingFrom, listingSql } from '../rows.ts'
import type { SessionStore, Store } from '../store.ts'
import { StoreBusy } from '../store-busy.ts'
import { Batches } from './batches.ts'
import type { Connection } from './connection.ts'
import { endSessionsWithin } from './end-sessions.ts'
import { openSessionWithin } from './open-session.ts'
import { readWholeViews } from './read-views.ts'
import { refreshing } from './refresh-batch.ts'

/** Larger batches gain nothing more. */
const READS_PER_BATCH = 256
/** One is read while the answers of the other are made; a read waits for no commit, so a third has nothing to do. */
const BATCHES_AT_A_TIME = 2

const LISTING = listingSql('$1', '$2')

/** The verbs about sessions; guarantees in `store.ts`. */
export function sessionStore(connection: Connection): SessionStore & Pick<Store, 'hasRoomToRefresh'> {
  const refreshes = refreshing(connection)
  return {
    hasRoomToRefresh: refreshes.hasRoom,
    openSession: (request) => connection.transaction((sql) => openSessionWithin(connection, sql, request)),
    refreshSession: refreshes.refresh,
    readSession: reading(connection),

    async listSessions(accountId, limit) {
      const rows = await connection.rows(LISTING, accountId, limit)
      return rows.map(listingFrom)
    },

    endSession: (accountId, sessionId, reason) =>
      connection.transaction(async (sql) => {
        const ended = await sql.count(
          `update sessions set ended_at_ms = $1, end_reason = $2
           where session_id = $3 and account_id = $4 and ended_at_ms is null`,
          connection.clock.nowMs(),
          reason,
          sessionId,
          accountId,
        )
        return ended === 1
      }),

    endSessions: (accountId, reason) =>
      connection.transaction(async (sql) => {
        // The account's row comes first: a sign-in under way has either committed, and its session is ended below, or
        // finds another version and fails.
        await sql.rows('update accounts set version = version + 1 where account_id = $1', accountId)
        return endSessionsWithin(connection, sql, accountId, reason, null)
      }),

    removeExpiredSessions: (limit) =>
      connection.transaction(async (sql) => {
        const [row] = await sql.rows(
          `with removed as (
             delete from sessions where session_id = any(array(
               select session_id from sessions where expires_at_ms <= $1
               order by expires_at_ms limit $2 for update skip locked))
             returning session_id),
           devices as (delete from session_devices d using removed r where d.session_id = r.session_id)
           select count(*) from removed`,
          connection.clock.nowMs(),
          limit,
        )
        return row?.[0] as number
      }),
  }
}

interface ReadJob {
  readonly sessionId: string
  readonly resolve: (view: SessionView<Account> | null) => void
  readonly reject: (error: unknown) => void
}

/** The verb `readSession`: calls that arrive together share a statement. */
function reading(connection: Connection): SessionStore['readSession'] {
  const batches = new Batches<ReadJob>({
    jobs: READS_PER_BATCH,
    running: BATCHES_AT_A_TIME,
    run: (batch) =>
      connection.onConnection(async (sql) => {
        const views = await readWholeViews(sql, [...new Set(batch.map(({ sessionId }) => sessionId))])
        for (const { sessionId, resolve } of batch) resolve(views.get(sessionId) ?? null)
      }),
    fail: (job, error) => job.reject(error),
  })
  return (sessionId) =>
    connection.admit(() => {
      if (!batches.hasRoom) return Promise.reject(new StoreBusy())
      const { promise, resolve, reject } = Promise.withResolvers<SessionView<Account> | null>()
      batches.add({ sessionId, resolve, reject })
      return promise
    })
}
