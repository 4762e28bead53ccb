/**
 * The thread that copies the log leaves the process's locks alone, although POSIX drops all locks of a process on a
 * file when the process closes any descriptor of it.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createClock } from '../../src/operations/clock.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { makeAccount } from './engine.ts'

/** Takes the database exclusively, as a command does that needs it for itself; run in a separate process. */
const TAKE = `
  const { DatabaseSync } = require('node:sqlite')
  new DatabaseSync(process.argv[1], { timeout: 0 }).exec('pragma locking_mode = exclusive; begin exclusive')`

test('a database that somebody still has open is not free when the thread has ended', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-checkpoints-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'duktig.sqlite')
  const { store: copying } = await openSqlite(file, createClock(), { longRunning: true })
  const { store: staying } = await openSqlite(file, createClock())
  const before = statSync(file).size
  // The thread begins when there is enough to copy. When the file has grown, the thread has copied.
  while (statSync(file).size === before) {
    const comment = 'x'.repeat(100_000)
    await Promise.all(Array.from({ length: 20 }, () => makeAccount(copying, { comment })))
  }
  await copying.close()
  const isFree = () => spawnSync(process.execPath, ['-e', TAKE, file], { encoding: 'utf8' }).status === 0
  assert.equal(isFree(), false, 'it can be taken away from the store that is open')
  await staying.close()
  assert.equal(isFree(), true)
})
