/**
 * What database and journal contain after a kill, before the next start: no client has asked again, and no start has
 * repaired anything.
 */
import { copyFileSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { settle } from '../support/settle.ts'

export interface Stored {
  /** The generation of each session, by its id. */
  readonly generations: ReadonlyMap<string, number>
  /** The text of all journals. */
  readonly journal: string
}

/** Longer than the service allows any statement. */
const LONGEST_STATEMENT_MS = 30_000
const GENERATIONS = 'select session_id, generation from sessions'

export async function readStored(variables: Readonly<Record<string, string>>): Promise<Stored> {
  const dataDir = variables['DUKTIG_DATA_DIR'] as string
  const url = variables['DUKTIG_DATABASE_URL']
  const rows = url === undefined ? inSqlite(join(dataDir, 'duktig.sqlite')) : await inPostgres(url)
  const journal = globSync(join(dataDir, 'journal', '*.jsonl')).map((path) => readFileSync(path, 'utf8'))
  return { generations: new Map(rows), journal: journal.join('\n') }
}

/** Reads a copy, because opening a database with a log after a crash changes it. */
function inSqlite(file: string): readonly (readonly [string, number])[] {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-stored-'))
  try {
    const copy = join(folder, 'copy.sqlite')
    for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, copy + end)
    using database = new DatabaseSync(copy)
    settle(database)
    const statement = database.prepare(GENERATIONS)
    statement.setReturnArrays(true)
    return statement.all() as unknown as [string, number][]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Waits for the statements of a killed service: each goes on to its end, and may still be committed. */
async function untilAlone(client: Client): Promise<void> {
  const endMs = performance.now() + LONGEST_STATEMENT_MS
  for (;;) {
    const { rows } = await client.query(
      "select 1 from pg_stat_activity where datname = current_database() and application_name = 'duktig'",
    )
    if (rows.length === 0) return
    if (performance.now() > endMs) throw new Error('statements of a killed service do not end')
  }
}

async function inPostgres(url: string): Promise<readonly (readonly [string, number])[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await untilAlone(client)
    const { rows } = await client.query({ text: GENERATIONS, rowMode: 'array' })
    return (rows as [string, string][]).map(([sessionId, generation]) => [sessionId, Number(generation)])
  } finally {
    await client.end()
  }
}
