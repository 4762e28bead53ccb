/** What a start reads at the ends of journal files. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readKnownEnds, readTails } from '../../src/operations/journal-tails.ts'
import { readJournals } from '../../src/operations/read-journals.ts'
import { T0 } from '../support/sessions.ts'

const DATABASE = '1'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const header = (instanceId: string, openedAtMs: number, database = DATABASE) =>
  JSON.stringify({ journal: 1, instanceId, database, openedAtMs })
const ended = (sessionId: string, write: number, atMs = T0) =>
  JSON.stringify({ kind: 'session', sessionId, reason: 'signed-out', atMs, write })
const complete = (write: number, atMs: number) => JSON.stringify({ kind: 'complete', atMs, write })

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-tails-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

let processes = 0
/** Writes a file of a new process. */
function place(folder: string, instanceId: string, madeAtMs: number, lines: readonly string[]): void {
  processes += 1
  writeFileSync(join(folder, `${madeAtMs}-${instanceId}-${processes}-0.jsonl`), lines.join('\n'))
}

/** The known ends, as an instance that starts at `nowMs` reads them. */
async function knownIn(folder: string, nowMs: number, instanceId = 'one') {
  const { sinceMs, sessionIds } = await readKnownEnds(await readTails(folder, DATABASE), instanceId, nowMs)
  return { sinceMs, sessionIds: [...sessionIds].toSorted() }
}

test('the last write of each is found as it is by reading everything, whatever is damaged', async (t) => {
  const whole = [header('one', T0), ended('a', 1), ended('b', 2)]
  const many = Array.from({ length: 2_000 }, (_, i) => ended(`s${i}`, i + 10))
  const cases: Readonly<Record<string, readonly string[]>> = {
    whole: [...whole, ''],
    'cut short': [...whole, '{"kind":"session","sess'],
    'without its last line feed': whole,
    'with nothing that can be read behind': [
      ...whole,
      ...Array.from({ length: 9 }, () => '!'.repeat(50_000)),
      '',
    ],
    'with a first line that cannot be read': ['{"journ', ...whole.slice(1), ''],
    'with a header after a damaged one': ['{"journ', header('one', T0), ...many, ''],
    'about another database after a damaged header': ['{"journ', header('one', T0, '2'), ...many, ''],
    'about another database': [header('one', T0, '2'), ended('a', 9), ''],
    'with a header alone': [header('one', T0), ''],
    long: [header('one', T0), ...many, ''],
    empty: [''],
    'of before writes were counted': [header('one', T0), ended('a', 3).replace(',"write":3', ''), ''],
    'of two processes that nothing tells apart': [
      ...whole,
      header('one', T0),
      ended('c', 4),
      ended('d', 3),
      '',
    ],
  }
  for (const [what, lines] of Object.entries(cases)) {
    const folder = folderFor(t)
    place(folder, 'one', T0, lines)
    place(folder, 'two', T0, [header('two', T0), ended('a', 5), ''])
    const { writes } = await readJournals([folder], DATABASE)
    assert.deepEqual((await readTails(folder, DATABASE)).writes, writes, what)
  }
  assert.deepEqual(await readTails(join(folderFor(t), 'none'), DATABASE), { files: [], writes: new Map() })
})

test('a file that cannot be opened is not passed over', async (t) => {
  const folder = folderFor(t)
  mkdirSync(join(folder, `${T0}-one-1-0.jsonl`))
  await assert.rejects(readTails(folder, DATABASE), { code: 'EISDIR' })
})

test('what ended is read back to the look before the last one, over all files of the instance', async (t) => {
  const folder = folderFor(t)
  const day = (number: number, ...lines: readonly string[]) =>
    place(folder, 'one', T0 + number * DAY_MS, [header('one', T0), ...lines, ''])
  day(0, complete(1, T0), ended('long ago', 2), complete(3, T0 + HOUR_MS), ended('before', 4))
  const looks = [complete(5, T0 + DAY_MS), ended('between', 6), complete(8, T0 + DAY_MS + HOUR_MS)]
  day(1, ...looks, ended('since', 10))
  // Two commands: the first began earlier and wrote only recently, the second began later and wrote long ago.
  const command = (hour: number, end: string) =>
    place(folder, 'one', T0 + hour * HOUR_MS, [header('one', T0 + hour * HOUR_MS), end, ''])
  command(1, ended('by a command', 9))
  command(2, ended('by a quicker command', 2))
  assert.deepEqual(await knownIn(folder, T0 + 2 * DAY_MS), {
    sinceMs: T0 + DAY_MS + HOUR_MS,
    sessionIds: ['between', 'by a command', 'since'],
  })
})

test('two looks soon after each other are one: between them nothing is forgotten', async (t) => {
  const folder = folderFor(t)
  const looks = [complete(1, T0), ended('before', 2), complete(3, T0 + 30_000), complete(4, T0 + 60_000)]
  place(folder, 'one', T0, [header('one', T0), ...looks, ''])
  assert.deepEqual(await knownIn(folder, T0 + DAY_MS), { sinceMs: T0 + 60_000, sessionIds: ['before'] })
})

test('a look of a clock that was ahead says nothing, nor does it once its time has come', async (t) => {
  const folder = folderFor(t)
  place(folder, 'one', T0 + DAY_MS, [
    header('one', T0 + DAY_MS),
    complete(1, T0 + DAY_MS),
    ended('ahead', 2, T0 + DAY_MS),
    '',
  ])
  place(folder, 'one', T0, [header('one', T0), complete(3, T0), ended('set right', 4), ''])
  const sessionIds = ['ahead', 'set right']
  assert.deepEqual(await knownIn(folder, T0 + HOUR_MS), { sinceMs: T0, sessionIds })
  assert.deepEqual(await knownIn(folder, T0 + 2 * DAY_MS), { sinceMs: T0, sessionIds })
})

test('where nobody has looked yet, all counts from its beginning on', async (t) => {
  const folder = folderFor(t)
  assert.deepEqual(await knownIn(folder, T0), { sinceMs: null, sessionIds: [] })
  place(folder, 'one', T0, [header('one', T0), ended('a', 1, T0 - 5000), ''])
  assert.deepEqual(await knownIn(folder, T0), { sinceMs: T0 - 5000, sessionIds: ['a'] })
})

test('a process that has long been running says nothing of the days whose files were removed', async (t) => {
  const folder = folderFor(t)
  const days = [144, 145].map((day) => [day, T0 + day * DAY_MS] as const)
  for (const [day, atMs] of days)
    writeFileSync(
      join(folder, `${atMs}-one-1-${day}.jsonl`),
      `${[header('one', T0), ended(`${day}`, day, atMs)].join('\n')}\n`,
    )
  const { sinceMs } = await knownIn(folder, T0 + 146 * DAY_MS)
  assert.equal(sinceMs, T0 + 144 * DAY_MS)
})

test('an instance that has not looked goes by what those before it in its folder say, and then by itself alone', async (t) => {
  const folder = folderFor(t)
  place(folder, 'old', T0, [header('old', T0), complete(5, T0), ended('a', 6), ''])
  place(folder, 'one', T0 + HOUR_MS, [header('one', T0 + HOUR_MS), ended('b', 1), ''])
  assert.deepEqual(await knownIn(folder, T0 + DAY_MS), { sinceMs: T0, sessionIds: ['a', 'b'] })
  place(folder, 'one', T0 + 2 * HOUR_MS, [header('one', T0), complete(2, T0 + 2 * HOUR_MS), ''])
  assert.deepEqual(await knownIn(folder, T0 + DAY_MS), { sinceMs: T0 + 2 * HOUR_MS, sessionIds: ['b'] })
})
