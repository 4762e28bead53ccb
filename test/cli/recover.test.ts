/** Backup, restore and recover as an operator runs them, and what they print. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Operator, newOperator } from '../support/command.ts'

async function withBackup(t: TestContext): Promise<Operator & { readonly data: string }> {
  const operator = newOperator()
  t.after(() => operator.remove())
  await operator.startOnce()
  for (const args of [
    ['account', 'create', '--email', 'ani@example.com'],
    ['backup', 'monday.sqlite'],
    ['account', 'end-sessions', 'ani@example.com'],
  ]) {
    const { code, err } = await operator.run(args)
    assert.equal(code, 0, err)
  }
  return { ...operator, data: join(operator.folder, 'data') }
}

test('a restore keeps the database before, takes the journals over, and says that the service may start', async (t) => {
  const { run } = await withBackup(t)
  const { code, out, err } = await run(['restore', 'monday.sqlite'])
  assert.deepEqual([code, err], [0, ''])
  const said =
    /^The database before is kept as (.*duktig\.sqlite\.before-restore-\S+)\.\nEntries \(ends, changes of state, keys\) taken over from the journals: \d+\.\nThe service may be started\.\n$/
  assert.match(out, said)
  assert.match((await run(['audit', '--account', 'system'])).out, /Store->recovered/)
})

test('a restore that dies before it has recovered leaves a database that is refused until it is recovered', async (t) => {
  const operator = newOperator()
  t.after(() => operator.remove())
  const { folder, run } = operator
  // The backup has all that the journal has, so comparing the two would not reveal the unfinished restore.
  for (const args of [
    ['account', 'create', '--email', 'ani@example.com'],
    ['backup', 'monday.sqlite'],
  ])
    assert.equal((await run(args)).code, 0)
  const journal = join(folder, 'data', 'journal')
  renameSync(journal, `${journal}.away`)
  writeFileSync(journal, 'where the folder should be')
  const died = await run(['restore', 'monday.sqlite'])
  assert.notEqual(died.code, 0)
  assert.match(died.out, /^The database before is kept/)
  assert.match(
    died.err,
    /^duktig: the database has not been recovered: .*journal.*\. Fix that, then run `duktig recover` before you start the service\n$/,
  )
  rmSync(journal)
  renameSync(`${journal}.away`, journal)
  const why = /a backup was put in place and has not been recovered yet: run `duktig recover`/
  const doctor = await run(['doctor'])
  assert.equal(doctor.code, 1)
  assert.match(doctor.out, why)
  assert.match((await run(['account', 'list'])).err, why)
  assert.match((await run(['recover'])).out, /^The service may be started\.$/m)
  assert.match((await run(['doctor'])).out, /^Nothing to mend\.$/m)
})

test('a database that is gone, as in a restore that was killed, is missed, and none is made in its place', async (t) => {
  const { data, run } = await withBackup(t)
  renameSync(join(data, 'duktig.sqlite'), join(data, 'duktig.sqlite.before-restore-x'))
  copyFileSync(join(data, '..', 'monday.sqlite'), join(data, 'duktig.sqlite.restoring'))
  const before = readdirSync(data)
  const why =
    /the database file \/.*\/data\/duktig\.sqlite is missing, .*: put the file back, or restore a backup with `duktig restore`; to begin anew, name an empty folder with DUKTIG_DATA_DIR/
  const doctor = await run(['doctor'])
  assert.equal(doctor.code, 1)
  assert.match(doctor.out, why)
  assert.match(
    doctor.out,
    /beside it there is the folder journal, duktig\.sqlite\.before-restore-x, duktig\.sqlite\.restoring:/,
  )
  assert.match((await run(['serve'])).err, why)
  assert.deepEqual(readdirSync(data), before)
  assert.match((await run(['restore', 'monday.sqlite'])).out, /^The service may be started\.$/m)
  rmSync(join(data, 'duktig.sqlite'))
  renameSync(join(data, 'journal'), join(data, 'away'))
  assert.match((await run(['account', 'list'])).err, /beside it there is duktig\.sqlite\.before-restore-x:/)
  rmSync(join(data, 'duktig.sqlite.before-restore-x'))
  assert.match((await run(['account', 'list'])).err, /there is no database in the data folder/)
  assert.equal((await run(['account', 'create', '--email', 'ani@example.com'])).code, 0)
})

test('without the journals all sessions end, and a lost secret is asked for', async (t) => {
  const { data, run } = await withBackup(t)
  renameSync(join(data, 'journal'), join(data, 'away'))
  rmSync(join(data, 'secret'))
  const { out } = await run(['restore', 'monday.sqlite'])
  assert.match(out, /^No complete journal for: \S+ \(/m)
  assert.match(
    out,
    /^Which sessions had ended is unknown without complete journals, so all have been ended\.$/m,
  )
  assert.match(
    out,
    /^Before you start the service: the master secret is missing, .*: put \/.*\/data\/secret back, or set DUKTIG_SECRET/m,
  )
  assert.doesNotMatch(out, /may be started/)
  writeFileSync(join(data, 'secret'), 'the secret of another service, long enough')
  const { out: withAnother } = await run(['restore', 'monday.sqlite'])
  assert.match(withAnother, /^Before you start the service: wrong master secret for the signing keys/m)
  assert.doesNotMatch(withAnother, /may be started/)
  cpSync(join(data, 'away'), join(data, 'journal'), { recursive: true })
  const again = await run(['restore', 'monday.sqlite', '--revive-ended-sessions'])
  assert.match(again.out, /^An earlier recovery ended all sessions/m)
})

test('all sessions end when an operator asks for it, and nothing is done when he says something else as well', async (t) => {
  const { data, run } = await withBackup(t)
  for (const [command, other] of [
    [['recover'], '--these-are-all'],
    [['recover'], '--revive-ended-sessions'],
    [['restore', 'monday.sqlite'], '--revive-ended-sessions'],
  ] as const) {
    const { code, out, err } = await run([...command, '--end-all-sessions', other])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, new RegExp(`^duktig: --end-all-sessions ends every session, so ${other} cannot`))
  }
  assert.deepEqual(globSync(join(data, '*before-restore*')), [])
  for (const command of [['recover'], ['restore', 'monday.sqlite']]) {
    const { code, out } = await run([...command, '--end-all-sessions'])
    assert.equal(code, 0)
    assert.match(out, /^All sessions have ended, as you asked\.$/m)
  }
})

test('a folder without a journal, and one without a database, are not taken for what was meant', async (t) => {
  const { folder, run } = await withBackup(t)
  const wrong = await run(['recover', '--journals', 'jurnal'])
  assert.deepEqual([wrong.code, wrong.out], [1, ''])
  assert.match(wrong.err, /^duktig: there is no journal in jurnal: name the folder/)
  mkdirSync(join(folder, 'empty'))
  const variables = { DUKTIG_DATA_DIR: 'empty' }
  for (const args of [['recover'], ['backup', 'tuesday.sqlite']]) {
    const { code, err } = await run(args, { variables })
    assert.equal(code, 1)
    assert.match(err, /^duktig: there is no database in \/.*\/empty: /)
  }
  assert.equal(existsSync(join(folder, 'empty', 'duktig.sqlite')), false)
})

test('with PostgreSQL somebody has to say whether the journals are all', async (t) => {
  const { run } = await withBackup(t)
  const variables = { DUKTIG_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
  const { code, err } = await run(['recover'], { variables })
  assert.equal(code, 1)
  assert.match(err, /add --these-are-all; if you cannot be sure of that, use --end-all-sessions/)
})
