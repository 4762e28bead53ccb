import assert from 'node:assert/strict'
import { appendFileSync, globSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hasJournal, openJournal, readJournals } from '../../src/operations/end-journal.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import type { JournalEntry } from '../../src/store/journal.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { T0 } from '../support/sessions.ts'

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'journal')
}

const ended = (sessionId: string, atMs = T0): JournalEntry => ({
  kind: 'session',
  sessionId,
  reason: 'signed-out',
  atMs,
})

async function endedIn(folder: string): Promise<readonly string[]> {
  const { entries } = await readJournals(folder)
  return entries.map((entry) => (entry.kind === 'session' ? entry.sessionId : entry.kind))
}

test('a line that a crash cut short is passed over, and what another process writes is whole', async (t) => {
  const folder = folderFor(t)
  const clock = { nowMs: () => T0 }
  const first = await openJournal({ folder, instanceId: 'one', clock, startAtOnce: true })
  await first.append([ended('a')])
  await first.close()
  const [file = ''] = globSync(`${folder}/*.jsonl`)
  appendFileSync(file, '{"kind":"session","sess')
  const second = await openJournal({
    folder,
    instanceId: 'one',
    clock: { nowMs: () => T0 + 1 },
    startAtOnce: true,
  })
  await second.append([ended('b')])
  await second.close()
  assert.deepEqual(await endedIn(folder), ['a', 'b'])
})

test('after a write that failed everything goes into a file of its own, and nothing is missing', async (t) => {
  const folder = folderFor(t)
  const clock = { atMs: T0, nowMs: () => clock.atMs }
  const journal = await openJournal({ folder, instanceId: 'one', clock, startAtOnce: true })
  await journal.append([ended('a')])
  // Where the folder was there is a file: the next day's journal cannot be begun.
  renameSync(folder, `${folder}.aside`)
  writeFileSync(folder, '')
  clock.atMs += 86_400_000
  await assert.rejects(journal.append([ended('b', clock.atMs)]), StoreUnavailable)
  rmSync(folder)
  renameSync(`${folder}.aside`, folder)
  const before = globSync(`${folder}/*.jsonl`)
  await journal.append([ended('c', clock.atMs)])
  await journal.close()
  assert.deepEqual(await endedIn(folder), ['a', 'b', 'c'])
  assert.equal(globSync(`${folder}/*.jsonl`).length, before.length + 1)
})

test('a process that lives long does not vouch for what was removed for its age', async (t) => {
  const folder = folderFor(t)
  const clock = { atMs: T0, nowMs: () => clock.atMs }
  const journal = await openJournal({ folder, instanceId: 'one', clock, startAtOnce: true })
  clock.atMs += 2 * LIMITS.journalKeptMs
  await journal.append([ended('a', clock.atMs)])
  await journal.close()
  const { headers } = await readJournals(folder)
  assert.equal(headers.at(-1)?.openedAtMs, clock.atMs - LIMITS.journalKeptMs)
})

test('who ends nothing leaves no journal', async (t) => {
  const folder = folderFor(t)
  const journal = await openJournal({
    folder,
    instanceId: 'one',
    clock: { nowMs: () => T0 },
    startAtOnce: false,
  })
  await journal.close()
  assert.equal(await hasJournal(folder), false)
})
