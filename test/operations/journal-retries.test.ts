/** What is in the journal after tries that failed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { STATUS } from '../../src/core/account.ts'
import { openJournal } from '../../src/operations/end-journal.ts'
import { readJournals } from '../../src/operations/read-journals.ts'
import type { JournalEntry } from '../../src/store/journal.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { T0 } from '../support/sessions.ts'

const DATABASE = '1'

function site(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  let counted = 0
  const numberWrite = async () => ++counted
  const journalOf = (atMs: number) =>
    openJournal({
      folder,
      instanceId: 'one',
      database: DATABASE,
      clock: { nowMs: () => atMs },
      startAtOnce: false,
      numberWrite,
    })
  return { folder, journalOf }
}

/** Makes the second write to a file from now on fail, as on a full disk. The first is the header of a new file. */
async function failWriting(t: TestContext): Promise<void> {
  const file = await open(import.meta.filename, 'r')
  const files = Object.getPrototypeOf(file) as FileHandle
  await file.close()
  const refuse = async () => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }
  const { mock } = t.mock.method(files, 'appendFile', files.appendFile)
  mock.mockImplementationOnce(refuse, mock.callCount() + 1)
}

const changed = (status: 1 | 2): JournalEntry => ({ kind: 'account-status', accountId: 1, status, atMs: T0 })

test('an entry that was written late counts as the change that the database committed first', async (t) => {
  const { folder, journalOf } = site(t)
  const service = await journalOf(T0)
  await failWriting(t)
  await assert.rejects(service.append([changed(STATUS.active)]), StoreUnavailable)
  const command = await journalOf(T0 + 1)
  await command.append([changed(STATUS.suspended)])
  await command.close()
  await service.append([])
  await service.close()
  const { otherEntries, writes } = await readJournals([folder], DATABASE)
  assert.deepEqual(
    otherEntries.map((entry) => entry.kind === 'account-status' && [entry.status, entry.write]),
    [
      [STATUS.active, 1],
      [STATUS.suspended, 2],
    ],
  )
  // The journal goes as far as the database has counted: otherwise a recovery would take it for an old copy.
  assert.equal(writes.get('one'), 3)
})

test('a journal covers what a look has found, once that is durable', async (t) => {
  const { journalOf } = site(t)
  const journal = await journalOf(T0)
  const covers = (...times: readonly number[]) => times.map((atMs) => journal.covers(atMs))
  const [old, young] = [T0 - 3_600_000, T0 - 600_000]
  assert.deepEqual(covers(old, young, T0), [false, false, false])
  const look = { kind: 'complete', fromMs: young, atMs: T0 } as const
  await failWriting(t)
  await assert.rejects(journal.append([look]), StoreUnavailable)
  assert.deepEqual(covers(old, young, T0), [false, false, false])
  await journal.append([])
  assert.deepEqual(covers(old, young, T0), [false, true, false])
  await journal.append([{ kind: 'complete', fromMs: T0 - 60_000, atMs: T0 + 600_000 }])
  assert.deepEqual(covers(old, young, T0), [false, true, true])
  await journal.close()
})
