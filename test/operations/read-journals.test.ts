/** A recovery reads the ends in large journals twice: once to count them, and once to carry them out. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readJournals } from '../../src/operations/read-journals.ts'
import { T0 } from '../support/sessions.ts'

const DATABASE = '1'

test('ends are read anew each time, and what is gone by then is not taken for nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-read-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const header = JSON.stringify({ journal: 1, instanceId: 'one', database: DATABASE, openedAtMs: T0 })
  const ends = ['a', 'b'].map((sessionId) =>
    JSON.stringify({ kind: 'session', sessionId, reason: 'signed-out', atMs: T0, write: 1 }),
  )
  const file = join(folder, `${T0}-one-1-0.jsonl`)
  writeFileSync(file, `${[header, ...ends].join('\n')}\n{"kind":"sess`)
  const { sessionEnds, damaged } = await readJournals([folder], DATABASE)
  assert.deepEqual([sessionEnds.length, damaged], [2, []])
  for (let i = 0; i < 2; i++)
    assert.deepEqual(
      [...sessionEnds].map(({ sessionId }) => sessionId),
      ['a', 'b'],
    )
  truncateSync(file, readFileSync(file, 'utf8').indexOf(ends[1] as string))
  assert.throws(() => [...sessionEnds], /a journal lost entries while it was read/)
  rmSync(file)
  assert.throws(() => [...sessionEnds], { code: 'ENOENT' })
})
