import type { EndReason } from '../../core/session.ts'
import type { Connection, Sql } from './connection.ts'

/**
 * Ends an account's live sessions inside the caller's transaction, except `exceptSessionId` if given, and returns their
 * ids. The caller holds the lock on the account's row; sessions are locked in the order of their ids, as everywhere.
 */
export async function endSessionsWithin(
  connection: Connection,
  sql: Sql,
  accountId: number,
  reason: EndReason,
  exceptSessionId: string | null,
): Promise<readonly string[]> {
  const rows = await sql.rows(
    `with live as materialized (
       select session_id from sessions
       where account_id = $1 and ended_at_ms is null and session_id is distinct from $2
       order by session_id for no key update)
     update sessions s set ended_at_ms = $3, end_reason = $4 from live where s.session_id = live.session_id
     returning s.session_id`,
    accountId,
    exceptSessionId,
    connection.clock.nowMs(),
    reason,
  )
  return rows.map(([sessionId]) => sessionId as string)
}
