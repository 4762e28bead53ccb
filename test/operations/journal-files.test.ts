import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { overdueFiles } from '../../src/operations/journal-files.ts'
import { DAY_MS, LIMITS } from '../../src/settings/limits.ts'
import { T0 } from '../support/sessions.ts'

test('an old file is overdue once a newer one was begun, which one dated in the future was not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const fileOf = (madeAtMs: number): string => {
    const file = join(folder, `${madeAtMs}-one-1-0.jsonl`)
    writeFileSync(file, '')
    return file
  }
  const overdue = (nowMs: number) => overdueFiles(folder, nowMs)
  const old = fileOf(T0)
  const oldMs = T0 + DAY_MS + LIMITS.journalKeptMs + 1
  const farMs = oldMs + 1000 * DAY_MS
  assert.deepEqual(await overdue(farMs), [], 'a stopped service removes nothing')
  fileOf(oldMs - 1)
  assert.deepEqual(await overdue(farMs), [], 'it was not old then')
  fileOf(oldMs)
  assert.deepEqual(await overdue(oldMs - 1), [], 'that file is of the future')
  assert.deepEqual(await overdue(oldMs), [old])
  assert.deepEqual(await overdueFiles(join(folder, 'none'), T0), [])
})
