/** Actions in files of the data folder: none is lost, whatever files there are when they are taken over. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ActionSpill } from '../../src/operations/action-spill.ts'
import type { ActionGroup } from '../../src/store/action-store.ts'

const ACTION = { accountId: 1, code: 'Auth->Authorize', address: null, sessionId: null, atMs: 0 }

test('what a writer appended after its file was closed is taken over behind what the file held', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const spill = new ActionSpill(folder, 10)
  assert.ok(spill.append([{ ...ACTION, message: 'first' }]))
  const [name = ''] = readdirSync(folder)
  const first = readFileSync(join(folder, name), 'utf8')
  // Another process closed the file, and died before it had taken over the actions.
  renameSync(join(folder, name), join(folder, name.replace('.spill', '.taken')))
  assert.ok(spill.append([{ ...ACTION, message: 'second' }]))
  assert.notEqual(readFileSync(join(folder, name), 'utf8'), first)

  const taken: string[] = []
  const write = async ({ actions, number }: ActionGroup) => {
    taken.push(...actions.map(({ message }) => `${number} ${message}`))
  }
  while (spill.isWaiting) assert.equal(await spill.takeOver(write), 0)
  assert.deepEqual(taken, ['1 first', '2 second'])
  assert.deepEqual(readdirSync(folder), [])
  writeFileSync(join(folder, 'actions-x.spill'), 'torn')
  assert.equal(await spill.takeOver(write), 1)
})
