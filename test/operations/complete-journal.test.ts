/** What a service adds to its journal, at its start and every hour. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { openEngine, openStore } from '../../src/open-store.ts'
import { completeJournal, completeOften } from '../../src/operations/complete-journal.ts'
import { openJournal } from '../../src/operations/end-journal.ts'
import { readTails } from '../../src/operations/journal-tails.ts'
import { readJournals } from '../../src/operations/read-journals.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import type { JournalEntry } from '../../src/store/journal.ts'
import { writeMissingEnds } from '../../src/store/missing-ends.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { entriesOf, signedIn } from '../recovery/clients.ts'
import { sqliteSite } from '../recovery/site.ts'
import { makeAccount, makeApplication, signIn } from '../store/engine.ts'
import { T0 } from '../support/sessions.ts'

const INSTANCE = 'one'

/** A store with a clock that the test sets, and the journal of a service that has just been opened. */
async function site(t: TestContext) {
  const top = mkdtempSync(join(tmpdir(), 'duktig-complete-'))
  const clock = { atMs: T0, nowMs: () => clock.atMs }
  const file = join(top, 'duktig.sqlite')
  const { store } = await openSqlite(file, clock)
  const database = await store.databaseId()
  const folder = join(top, 'journal')
  const away = { is: false }
  const journal = await openJournal({
    folder,
    instanceId: INSTANCE,
    database,
    clock,
    startAtOnce: true,
    async numberWrite() {
      if (away.is) throw new StoreUnavailable('the database is away')
      return store.countWrite(INSTANCE)
    },
  })
  t.after(async () => {
    await journal.close()
    await store.close()
    rmSync(top, { recursive: true })
  })
  const account = await makeAccount(store)
  const application = await makeApplication(store)
  const kept = { store, journal, folder, database, instanceId: INSTANCE }
  return {
    file,
    clock,
    journal,
    kept,
    away,
    look: async () => completeJournal(kept, await readTails(folder, database), { isStart: false }),
    /** Ends a session in the store but not in the journal, as when a process is killed in between. Returns the id. */
    async endSilently() {
      const { accountId, sessionId } = await signIn(store, account, application)
      assert.equal(await store.endSession(accountId, sessionId, 'signed-out'), true)
      return sessionId
    },
    async written() {
      const { sessionEnds, otherEntries } = await readJournals([folder], database)
      return { ended: [...sessionEnds].map(({ sessionId }) => sessionId), looks: otherEntries.length }
    },
  }
}

test('what ended without being written is found, also behind a look of a clock that was ahead, and once', async (t) => {
  const { journal, clock, look, endSilently, written } = await site(t)
  await look()
  const ahead: JournalEntry = { kind: 'complete', atMs: T0 + 24 * LIMITS.journalLookMs }
  await journal.append([ahead])
  clock.atMs += LIMITS.journalLookMs
  const first = await endSilently()
  clock.atMs += LIMITS.journalLookMs
  await look()
  assert.deepEqual((await written()).ended, [first])
  const second = await endSilently()
  for (let i = 0; i < 4; i++) {
    await look()
    clock.atMs += 20_000
  }
  assert.deepEqual((await written()).ended, [first, second])
})

test('what a clock that was ahead dated later than now is written by a start, and not again by each look', async (t) => {
  const { kept, journal, clock, look, endSilently, written } = await site(t)
  await look()
  clock.atMs += 24 * LIMITS.journalLookMs
  const known = await endSilently()
  await journal.append([{ kind: 'session', sessionId: known, reason: 'signed-out', atMs: clock.atMs }])
  const unknown = await endSilently()
  clock.atMs = T0 + 20_000
  await completeJournal(kept, await readTails(kept.folder, kept.database), { isStart: true })
  for (let i = 0; i < 6; i++) {
    clock.atMs += LIMITS.journalLookMs
    await look()
  }
  assert.deepEqual((await written()).ended.toSorted(), [known, unknown].toSorted())
})

test('however much is looked through, others have their turns', async (t) => {
  const { kept } = await site(t)
  let turns = 0
  let lists = 0
  const listEnded = async ({ endedAtMs }: { readonly endedAtMs: number }, limit: number) => {
    lists += 1
    assert.ok(lists === 1 || turns >= lists - 1, 'nobody had a turn since the list before')
    setImmediate(() => {
      turns += 1
    })
    const length = lists === 4 ? 0 : limit
    return Array.from({ length }, () => ({ sessionId: 'known', reason: 'signed-out' as const, endedAtMs }))
  }
  const known = { sinceMs: T0, sessionIds: new Set(['known']) }
  await writeMissingEnds({ listEnded }, kept.journal, known, T0, T0)
  assert.equal(lists, 4)
})

test('more than are read at once are all found', async (t) => {
  const { file, look, endSilently, written } = await site(t)
  await look()
  await endSilently()
  using beside = new DatabaseSync(file)
  const columns = beside.prepare("select group_concat(name) from pragma_table_info('sessions')").get()
  const names = String(Object.values(columns as object)[0])
  beside.exec(
    `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 4500)
     insert into sessions (${names}) select ${names.replace('session_id', "'more-' || n")} from sessions, numbers`,
  )
  await look()
  const { ended } = await written()
  assert.deepEqual([ended.length, new Set(ended).size], [4501, 4501])
})

test('a service looks each hour, and while its journal cannot be written nothing piles up', async (t) => {
  const { kept, clock, away, look, endSilently, written } = await site(t)
  await look()
  t.mock.timers.enable({ apis: ['setInterval'] })
  const hour = async () => {
    const stop = completeOften(kept)
    clock.atMs += LIMITS.journalLookMs
    t.mock.timers.tick(LIMITS.journalLookMs)
    await stop()
  }
  const first = await endSilently()
  await hour()
  assert.deepEqual(await written(), { ended: [first], looks: 2 })
  away.is = true
  const second = await endSilently()
  for (let i = 0; i < 5; i++) await hour()
  assert.deepEqual(await written(), { ended: [first], looks: 2 })
  away.is = false
  await hour()
  assert.deepEqual(await written(), { ended: [first, second], looks: 3 })
})

test('what a command left unwritten beside a service that runs is in the journal within the hour', async (t) => {
  const place = await sqliteSite()
  t.after(() => place.remove())
  await signedIn(place)
  const ends = async () => (await entriesOf(place)).filter(({ kind }) => kind === 'session').length
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { store } = await openStore(readSettings(place.variables), { longRunning: true })
  try {
    const { store: killed } = await openEngine(readSettings(place.variables))
    const accountId = await place.number('select account_id from accounts')
    assert.equal((await killed.endSessions(accountId, 'ended-by-administrator')).length, 1)
    await killed.close()
    assert.equal(await ends(), 0)
    t.mock.timers.tick(LIMITS.journalLookMs)
  } finally {
    await store.close()
  }
  assert.equal(await ends(), 1)
})
