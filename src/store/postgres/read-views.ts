import type { Application } from '../../core/application.ts'
import type { SessionView } from '../../core/session.ts'
import {
  APPLICATION_COLUMNS,
  type Row,
  SESSION_VIEW_COLUMNS,
  SESSION_VIEW_SOURCE,
  applicationFrom,
  viewFrom,
} from '../rows.ts'
import type { Sql } from './connection.ts'

/**
 * A row brings the application along, as JSON, only where the one before had another: hundreds of sessions belong to a few,
 * and columns take the database and us time for every row.
 */
const VIEWS = `
  select ${SESSION_VIEW_COLUMNS},
    case when lag(s.application_id) over () is distinct from s.application_id then
      (select json_build_array(${APPLICATION_COLUMNS})::text from applications p
       where p.application_id = s.application_id) end
  from ${SESSION_VIEW_SOURCE} where s.session_id = any($1::text[])`

/** Sessions with their accounts and applications as they are committed now. */
export async function readViews(
  sql: Sql,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, SessionView>> {
  const rows = await sql.rows(VIEWS, sessionIds)
  const applications = new Map<number, Application>()
  for (const row of rows) {
    const text = row.at(-1) as string | null
    if (text === null) continue
    const application = applicationFrom(JSON.parse(text) as Row)
    applications.set(application.applicationId, application)
  }
  const applicationOf = (id: number) => applications.get(id) ?? null
  return new Map(rows.map((row) => [row[0] as string, viewFrom(row, applicationOf)]))
}
