/** A restore while other commands begin, and one that is killed. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { RestoredStore, openStore } from '../../src/open-store.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { newOperator } from '../support/command.ts'

/** Loaded before a command: sends it the signal `SIGNAL` before its step number `AT` on files. */
const INTERRUPT = `
const fs = require('node:fs')
let steps = 0
for (const name of ['copyFileSync', 'chmodSync', 'fsyncSync', 'renameSync']) {
  const work = fs[name]
  fs[name] = (...args) => {
    steps += 1
    if (steps === Number(process.env.AT)) {
      fs.writeSync(1, 'interrupted before ' + name + '\\n')
      process.kill(process.pid, process.env.SIGNAL)
    }
    return work(...args)
  }
}
require('node:module').syncBuiltinESMExports()`

/** A database of two accounts, and a backup with the first of them. */
async function siteWithBackup(t: TestContext) {
  const operator = newOperator()
  t.after(() => operator.remove())
  const { folder, run } = operator
  await operator.startOnce()
  for (const args of [
    ['account', 'create', '--email', 'ani@example.com'],
    ['backup', 'monday.sqlite'],
    ['account', 'create', '--email', 'ben@example.com'],
  ])
    assert.equal((await run(args)).code, 0)
  const interrupt = join(folder, 'interrupt.cjs')
  writeFileSync(interrupt, INTERRUPT)
  return { run, interrupt, data: join(folder, 'data'), settings: readSettings(operator.variables) }
}

test('a command that begins while a backup is put in place is refused, so that nothing it does is lost', async (t) => {
  const { run, interrupt, data } = await siteWithBackup(t)
  const tries = [
    ['account', 'end-sessions', 'ben@example.com'],
    ['backup', 'tuesday.sqlite'],
    ['recover'],
    ['serve'],
  ]
  let tried: ReturnType<typeof run>[] = []
  let hasDraft = false
  const restored = await run(['restore', 'monday.sqlite'], {
    require: interrupt,
    // The draft has been copied and marked, but not synced.
    variables: { AT: '3', SIGNAL: 'SIGSTOP' },
    printed(out, signal) {
      if (tried.length > 0 || !out.endsWith('interrupted before fsyncSync\n')) return
      hasDraft = existsSync(join(data, 'duktig.sqlite.restoring'))
      tried = tries.map((args) => run(args))
      void Promise.all(tried).then(() => signal('SIGCONT'))
    },
  })
  assert.equal(restored.code, 0, restored.err)
  for (const { code, out, err } of await Promise.all(tried)) {
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /^duktig: .*a backup is being put in the place of .*duktig\.sqlite, or .*: wait/)
  }
  assert.equal(hasDraft, true)
  assert.equal((await run(['account', 'end-sessions', 'ani@example.com'])).code, 0)
})

test('a restore that is killed at any step leaves the database before, one that is refused until a restore is done, or that of the backup', async (t) => {
  const { run, interrupt, data, settings } = await siteWithBackup(t)
  cpSync(data, `${data}.saved`, { recursive: true })
  const emails = async () => {
    const { store } = await openStore(settings)
    try {
      return (await store.listAccounts(0, 10)).map(({ email }) => email)
    } finally {
      await store.close()
    }
  }
  const left: string[] = []
  for (let at = 1; ; at++) {
    rmSync(data, { recursive: true })
    cpSync(`${data}.saved`, data, { recursive: true })
    const killed = await run(['restore', 'monday.sqlite'], {
      require: interrupt,
      variables: { AT: String(at), SIGNAL: 'SIGKILL' },
    })
    if (killed.code === 0) break
    assert.equal(killed.code, null, killed.err)
    try {
      const found = (await emails()).join(' ')
      assert.match(found, /^ani@example\.com( ben@example\.com)?$/)
      left.push(found === 'ani@example.com' ? 'restored' : 'before')
    } catch (error) {
      assert.ok(error instanceof RestoredStore, String(error))
      left.push(/is missing/.test(error.message) ? 'none' : 'refused')
    }
    const again = await run(['restore', 'monday.sqlite'])
    assert.equal(again.code, 0, again.err)
    assert.deepEqual(await emails(), ['ani@example.com'])
  }
  // A later step never leaves what an earlier one had gone beyond; the names are in that order. Killed while it looks
  // whether the service can start, a restore has been done.
  assert.deepEqual(left, left.toSorted())
  assert.deepEqual([...new Set(left)], ['before', 'none', 'refused', 'restored'], left.join())
})
