/** An account may have any number of ended sessions. Queries for its live or newest sessions must not read them all. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createClock } from '../../src/operations/clock.ts'
import { listingSql } from '../../src/store/rows.ts'
import { ENDED_FOR } from '../../src/store/sqlite/recovery.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'

const LIVING = 'select session_id from sessions where account_id = 1 and ended_at_ms is null'

test('the sessions of an account are found by indexes of the living and of the ended', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-plans-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'duktig.sqlite')
  await (await openSqlite(file, createClock())).store.close()
  using database = new DatabaseSync(file)
  const planOf = (sql: string) =>
    database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
      .join('\n')
  assert.match(planOf(LIVING), /USING (?:COVERING )?INDEX sessions_living_of_account \(account_id=\?\)/)
  assert.match(planOf(ENDED_FOR), /^SEARCH sessions USING INDEX sessions_ended_of_account \(account_id=\?\)$/)
  const listing = planOf(listingSql('1', '10'))
  assert.match(listing, /INDEX sessions_living_of_account \(account_id=\?\)/)
  // Reads in the order of the index, so that it stops at the limit.
  assert.match(
    listing,
    /CO-ROUTINE ended\nSEARCH s USING INDEX sessions_ended_of_account \(account_id=\?\)\nSEARCH d/,
  )
})
