import type { Connection } from './connection.ts'

/** The settings as the server has them for this database and user, before our connections change any. */
const SETTINGS = `
  select name, reset_val from pg_settings
  where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names', 'server_encoding')`

/** What is unwise about the server; empty when all is well. */
export async function inspect(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.rows(SETTINGS)
  const setting = new Map(rows.map(([name, value]) => [name as string, value as string]))
  const problems: string[] = []
  if (setting.get('fsync') === 'off') {
    problems.push('fsync is off: a power cut may destroy the database')
  }
  if (setting.get('full_page_writes') === 'off') {
    problems.push(
      'full_page_writes is off: a power cut may destroy the database, unless its file system excludes that',
    )
  }
  const commit = setting.get('synchronous_commit') ?? ''
  if (commit !== 'on' && commit !== 'remote_apply') {
    problems.push(
      `synchronous_commit is ${commit}: this service sets it to on for itself, but what other programs write may be lost`,
    )
  }
  const [replicas] = await connection.rows('select count(*) from pg_stat_replication')
  if (replicas?.[0] !== 0 && setting.get('synchronous_standby_names') === '') {
    problems.push(
      'there are replicas but synchronous_standby_names is empty: a fail-over may bring back sessions that were ended',
    )
  }
  if (setting.get('server_encoding') !== 'UTF8') {
    problems.push('the encoding of the database is not UTF8: it cannot keep every name')
  }
  return problems
}
