import type { Application } from '../../core/application.ts'
import type { SessionAccount, SessionView } from '../../core/session.ts'
import {
  APPLICATION_COLUMNS,
  type Row,
  SESSION_AND_ACCOUNT_COLUMNS,
  SESSION_VIEW_COLUMNS,
  SESSION_VIEW_SOURCE,
  SESSION_WIDTH,
  accountFrom,
  applicationFrom,
  sessionAccountFrom,
  sessionFrom,
} from '../rows.ts'
import type { Sql } from './connection.ts'

/** Sessions with their applications and with what refreshing needs of their accounts, as they are committed now. */
export const readViews = viewReader(SESSION_VIEW_COLUMNS, sessionAccountFrom)

/** Like `readViews`, but with the whole accounts. */
export const readWholeViews = viewReader(SESSION_AND_ACCOUNT_COLUMNS, accountFrom)

function viewReader<A extends SessionAccount>(columns: string, accountOf: (row: Row) => A) {
  // A row carries its application, as JSON, only where the row before has another one: hundreds of sessions share a few
  // applications, and every column costs time in each row, here and in the database.
  const select = `
    select ${columns},
      case when lag(s.application_id) over () is distinct from s.application_id then
        (select json_build_array(${APPLICATION_COLUMNS})::text from applications p
         where p.application_id = s.application_id) end
    from ${SESSION_VIEW_SOURCE} where s.session_id = any($1::text[])`
  return async (sql: Sql, sessionIds: readonly string[]): Promise<ReadonlyMap<string, SessionView<A>>> => {
    const rows = await sql.rows(select, sessionIds)
    const applications = new Map<number, Application>()
    for (const row of rows) {
      const text = row.at(-1) as string | null
      if (text === null) continue
      const application = applicationFrom(JSON.parse(text) as Row)
      applications.set(application.applicationId, application)
    }
    const viewOf = (row: Row): SessionView<A> => {
      const session = sessionFrom(row)
      const account = row[SESSION_WIDTH] === null ? null : accountOf(row.slice(SESSION_WIDTH))
      return { session, account, application: applications.get(session.applicationId) ?? null }
    }
    return new Map(rows.map((row) => [row[0] as string, viewOf(row)]))
  }
}
