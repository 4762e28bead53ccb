/** How much SQLite takes in while its transactions are slow. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createClock } from '../../src/operations/clock.ts'
import { MOST_AT_ONCE, REFUSING_MS, TURN_MS } from '../../src/store/sqlite/connection.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { StoreBusy } from '../../src/store/store-busy.ts'
import { refreshRequest, signedIn } from './engine.ts'

test('a group that takes longer than a turn lets one more group in, and the next one is refused', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-turns-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { store } = await openSqlite(path.join(folder, 'duktig.sqlite'), createClock())
  t.after(() => store.close())
  const { session } = await signedIn(store)
  let decided = 0
  const decide = () => {
    decided += 1
    const startMs = performance.now()
    while (decided === 1 && performance.now() - startMs < TURN_MS + 2 * REFUSING_MS);
    return { kind: 'keep', touch: false } as const
  }
  const request = refreshRequest(store, session, { decide })
  const asked = Array.from({ length: 2 * MOST_AT_ONCE + 1 }, () => store.refreshSession(request))
  const outcomes = await Promise.allSettled(asked)
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2 * MOST_AT_ONCE)
  const last = outcomes.at(-1)
  assert.ok(last?.status === 'rejected' && last.reason instanceof StoreBusy)
})

test('a closed store says so to those who read', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'duktig-turns-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { store } = await openSqlite(path.join(folder, 'duktig.sqlite'), createClock())
  const { session } = await signedIn(store)
  await store.close()
  const asked = Array.from({ length: MOST_AT_ONCE + 1 }, () => store.readSession(session.sessionId))
  for (const outcome of await Promise.allSettled(asked)) assert.equal(outcome.status, 'rejected')
})
