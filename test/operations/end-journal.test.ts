import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type JournalOptions, openJournal } from '../../src/operations/end-journal.ts'
import { hasJournal } from '../../src/operations/journal-files.ts'
import { readJournals } from '../../src/operations/read-journals.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import type { Journal, JournalEntry } from '../../src/store/journal.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { T0 } from '../support/sessions.ts'

const DATABASE = '1'
const DAY_MS = 86_400_000
let numbers = 0
const numberWrite = async () => ++numbers

/** Opens the journal of the instance `one`, as a service does. */
function journalIn(folder: string, differs: Partial<JournalOptions> = {}): Promise<Journal> {
  const clock = { nowMs: () => T0 }
  return openJournal({
    folder,
    instanceId: 'one',
    database: DATABASE,
    clock,
    startAtOnce: true,
    numberWrite,
    ...differs,
  })
}

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

const suspended = (atMs = T0): JournalEntry => ({ kind: 'account-status', accountId: 1, status: 2, atMs })

async function endedIn(folder: string): Promise<readonly string[]> {
  const { sessionEnds } = await readJournals([folder], DATABASE)
  return [...sessionEnds].map(({ sessionId }) => sessionId)
}

test('a line that a crash cut short is passed over, and what another process writes is whole', async (t) => {
  const folder = folderFor(t)
  const clock = { nowMs: () => T0 }
  const first = await journalIn(folder, { clock })
  await first.append([ended('a')])
  await first.close()
  const [file = ''] = globSync(`${folder}/*.jsonl`)
  appendFileSync(file, '{"kind":"session","sess')
  const second = await journalIn(folder, { clock: { nowMs: () => T0 + 1 } })
  await second.append([ended('b')])
  await second.close()
  assert.deepEqual(await endedIn(folder), ['a', 'b'])
})

test('after a write that failed everything goes into a file of its own, and nothing is missing', async (t) => {
  const folder = folderFor(t)
  const clock = { atMs: T0, nowMs: () => clock.atMs }
  const journal = await journalIn(folder, { clock })
  await journal.append([ended('a')])
  // A file takes the place of the folder, so the journal of the next day cannot be begun.
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
  const journal = await journalIn(folder, { clock })
  clock.atMs += 2 * LIMITS.journalKeptMs
  await journal.append([ended('a', clock.atMs)])
  await journal.close()
  const { headers } = await readJournals([folder], DATABASE)
  assert.deepEqual(
    headers.map(({ openedAtMs }) => openedAtMs),
    [clock.atMs],
  )
})

test('who ends nothing leaves no journal', async (t) => {
  const folder = folderFor(t)
  const journal = await journalIn(folder, { startAtOnce: false })
  await journal.close()
  assert.equal(await hasJournal(folder), false)
})

test('a line that cannot be read before the last one is damage: who wrote it vouches for nothing any more', async (t) => {
  const folder = folderFor(t)
  for (const [instanceId, atMs] of [
    ['on-e', T0],
    ['two', T0 + 1],
  ] as const) {
    const journal = await journalIn(folder, { instanceId, clock: { nowMs: () => atMs } })
    await journal.append([ended('a'), ended('b')])
    await journal.close()
  }
  const [file = ''] = globSync(`${folder}/*-on-e-*.jsonl`)
  const text = readFileSync(file, 'utf8')
  const instances = async () =>
    (await readJournals([folder], DATABASE)).headers.map(({ instanceId }) => instanceId)
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

test('nothing is written before it has a number', async (t) => {
  const folder = folderFor(t)
  let asked = 0
  const numberOrFail = async () => {
    asked += 1
    if (asked === 1) throw new StoreUnavailable('the database is away')
    assert.deepEqual((await readJournals([folder], DATABASE)).otherEntries, [])
    return 7
  }
  const clock = { nowMs: () => T0 }
  const journal = await journalIn(folder, { clock, startAtOnce: false, numberWrite: numberOrFail })
  await assert.rejects(journal.append([suspended(), suspended()]), StoreUnavailable)
  assert.equal(await hasJournal(folder), true, 'or one that is killed here would look like one that is gone')
  await journal.append([])
  await journal.close()
  const { otherEntries, writes } = await readJournals([folder], DATABASE)
  const written = otherEntries.map(({ instanceId, write }) => `${instanceId} ${write}`)
  assert.deepEqual([written, [...writes]], [['one 7', 'one 7'], [['one', 7]]])
})

test('who waits for a journal that cannot be written is told with the others', async (t) => {
  const folder = folderFor(t)
  let asked = 0
  const numberOrFail = () => {
    asked += 1
    return Promise.reject(new StoreUnavailable('the database is away'))
  }
  const clock = { nowMs: () => T0 }
  const journal = await journalIn(folder, { clock, numberWrite: numberOrFail })
  const tries = Array.from({ length: 50 }, (_, i) => journal.append([ended(String(i))]))
  for (const result of await Promise.allSettled(tries)) assert.equal(result.status, 'rejected')
  assert.equal(asked, 2)
  await journal.close()
})

const namesOf = (worker: number) => Array.from({ length: 50 }, (_, k) => `${worker}-${k}`)

test('each of many who append again and again is written once', async (t) => {
  const folder = folderFor(t)
  const clock = { nowMs: () => T0 }
  let asked = 0
  // Every seventh write fails, and a later one writes its entries.
  const sometimes = async () => {
    asked += 1
    if (asked % 7 === 0) throw new StoreUnavailable('the database is away')
    return asked
  }
  const journal = await journalIn(folder, { clock, numberWrite: sometimes })
  const names = Array.from({ length: 20 }, (_, i) => namesOf(i))
  const worker = async (own: readonly string[]) => {
    for (const name of own) await journal.append([ended(name)]).catch(() => {})
  }
  await Promise.all(names.map(worker))
  // Two writes in a row do not fail.
  await journal.append([]).catch(() => journal.append([]))
  await journal.close()
  assert.deepEqual((await endedIn(folder)).toSorted(), names.flat().toSorted())
})

test('of too many that wait no more are taken, and they are written once that is possible', async (t) => {
  const folder = folderFor(t)
  let isAway = true
  const whenBack = async () => {
    if (isAway) throw new StoreUnavailable('the database is away')
    return numberWrite()
  }
  const journal = await journalIn(folder, { numberWrite: whenBack })
  await assert.rejects(journal.append(Array.from({ length: 100_001 }, () => ended('a'))), StoreUnavailable)
  isAway = false
  await assert.rejects(journal.append([ended('b')]), /too much waits/)
  await journal.append([])
  await journal.append([ended('c')])
  await journal.close()
  const ids = await endedIn(folder)
  assert.deepEqual([ids.length, ids.includes('b'), ids.at(-1)], [100_002, false, 'c'])
})

test('a database that is set back under a journal gets nothing acknowledged any more', async (t) => {
  const folder = folderFor(t)
  const given = [5, 5, 6, 7]
  const journal = await journalIn(folder, { numberWrite: async () => given.shift() as number })
  await journal.append([ended('a')])
  for (let i = 0; i < 3; i++) await assert.rejects(journal.append([ended('b')]), /was set back/)
  await journal.close()
  assert.deepEqual(await endedIn(folder), ['a'])
})

test('entries come in the order in which they were written, though a clock was ahead', async (t) => {
  const folder = folderFor(t)
  const clock = { nowMs: () => T0 }
  const one = await journalIn(folder, { clock })
  const two = await journalIn(folder, { instanceId: 'two', clock })
  for (const afterMs of [3_600_000, 1000]) await one.append([suspended(T0 + afterMs)])
  await two.append([suspended(T0 + 2000)])
  await one.close()
  await two.close()
  const { otherEntries } = await readJournals([folder], DATABASE)
  assert.deepEqual(
    otherEntries.map(({ atMs }) => atMs - T0),
    [2000, 3_600_000, 1000],
  )
})

test('files that no backup needs any more go, by the clock of the store, or stay without harm', async (t) => {
  const folder = folderFor(t)
  const clock = { nowMs: () => T0 }
  await (await journalIn(folder, { clock })).close()
  const names = [1, 2].map((days) => `${T0 - LIMITS.journalKeptMs - days * DAY_MS - 1}-one-1-0.jsonl`)
  for (const name of names) writeFileSync(join(folder, name), '')
  // A folder of such a name is not removed as a file is.
  mkdirSync(join(folder, `${T0 - LIMITS.journalKeptMs - 3 * DAY_MS}-one-1-0.jsonl`))
  await (await journalIn(folder, { instanceId: 'two', clock })).close()
  assert.deepEqual(
    names.map((name) => existsSync(join(folder, name))),
    [false, false],
  )
  const kept = join(folder, `${T0 - LIMITS.journalKeptMs}-one-1-0.jsonl`)
  writeFileSync(kept, '')
  await (await journalIn(folder, { instanceId: 'three', clock })).close()
  assert.equal(existsSync(kept), true)
})

test('a file does not vouch for one of its process that is gone, and each day of a quiet service has one', async (t) => {
  const folder = folderFor(t)
  const clock = { atMs: T0, nowMs: () => clock.atMs }
  const journal = await journalIn(folder, { clock })
  for (let day = 1; day <= 2; day++) {
    clock.atMs += DAY_MS
    await journal.keepUp()
    await journal.keepUp()
  }
  await journal.close()
  const since = async () =>
    (await readJournals([folder], DATABASE)).headers.map(({ openedAtMs }) => openedAtMs)
  assert.deepEqual(await since(), [T0, T0, T0])
  const [first = '', second = ''] = globSync(`${folder}/*.jsonl`).sort()
  renameSync(second, `${second}.away`)
  assert.deepEqual(await since(), [T0 + 2 * DAY_MS])
  renameSync(`${second}.away`, second)
  rmSync(first)
  assert.deepEqual(await since(), [T0 + DAY_MS, T0 + DAY_MS])
})

test('a journal about another database is none', async (t) => {
  const folder = folderFor(t)
  const journal = await journalIn(folder, { database: '2' })
  await journal.append([ended('a')])
  await journal.close()
  assert.deepEqual([await hasJournal(folder), await hasJournal(folder, DATABASE)], [true, false])
  const unreadable = join(folder, `${T0}-one-1-0.jsonl`)
  writeFileSync(unreadable, '{"journal"')
  assert.equal(await hasJournal(folder, DATABASE), true, 'nobody can say that it is not about this one')
  rmSync(unreadable)
  const { headers, writes, sessionEnds } = await readJournals([folder], DATABASE)
  assert.deepEqual([headers.length, writes.size, sessionEnds.length], [0, 0, 0])
  assert.equal((await readJournals([folder], '2')).sessionEnds.length, 1)
})
