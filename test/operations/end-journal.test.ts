import assert from 'node:assert/strict'
import {
  appendFileSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
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

test('a line that cannot be read before the last one is damage: who wrote it vouches for nothing any more', async (t) => {
  const folder = folderFor(t)
  for (const [instanceId, atMs] of [
    ['on-e', T0],
    ['two', T0 + 1],
  ] as const) {
    const journal = await openJournal({ folder, instanceId, clock: { nowMs: () => atMs }, startAtOnce: true })
    await journal.append([ended('a'), ended('b')])
    await journal.close()
  }
  const [file = ''] = globSync(`${folder}/*-on-e-*.jsonl`)
  const text = readFileSync(file, 'utf8')
  const instances = async () => (await readJournals(folder)).headers.map(({ instanceId }) => instanceId)
  assert.deepEqual(await instances(), ['on-e', 'two'])
  for (const damaged of [
    text.replace('"sessionId":"a"', '"sessionId:"a"'),
    text.replace('"session"', '"sessiom"'),
    text.replace('{"journal":1', '{"journal":0'),
  ]) {
    assert.notEqual(damaged, text)
    writeFileSync(file, damaged)
    assert.deepEqual(await instances(), ['two'])
  }
})

test('nothing is written before somebody has been told until when', async (t) => {
  const folder = folderFor(t)
  const told: number[] = []
  const beforeWrite = async (latestAtMs: number) => {
    told.push(latestAtMs)
    if (told.length === 1) throw new StoreUnavailable('the database is away')
    assert.deepEqual(await endedIn(folder), [])
  }
  const clock = { nowMs: () => T0 }
  const journal = await openJournal({ folder, instanceId: 'one', clock, startAtOnce: true, beforeWrite })
  await assert.rejects(journal.append([ended('a', T0 + 5), ended('b', T0 + 3)]), StoreUnavailable)
  assert.deepEqual(await endedIn(folder), [])
  await journal.append([])
  await journal.close()
  assert.deepEqual(told, [T0 + 5, T0 + 5])
  assert.deepEqual(await endedIn(folder), ['b', 'a'])
})
