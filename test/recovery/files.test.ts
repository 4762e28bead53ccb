/** Restoring a backup of SQLite where files were left behind, or where other processes are still at work. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  globSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { backup, journalFolder, restore } from '../../src/open-store.ts'
import { backupSqlite } from '../../src/store/sqlite/backup.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { sendJson } from '../support/raw-http.ts'
import { recoverSite, refusesToStart, register, start, withService, withStore } from './clients.ts'
import { sqliteSite } from './site.ts'

const ALL = { endAll: false, reviveEnded: false }

/** A site with a backup that has one account, and a database with two. */
async function siteWithBackup(t: TestContext) {
  const site = await sqliteSite()
  t.after(() => site.remove())
  const settings = readSettings(site.variables)
  const database = join(settings.dataDir, 'duktig.sqlite')
  const crashed = join(dirname(settings.dataDir), 'crashed')
  await withService(site, async (service) => {
    await register(site, service, 'one@example.com')
    await site.save()
    await register(site, service, 'two@example.com')
    // The files as a killed process leaves them.
    for (const end of ['', '-wal']) copyFileSync(`${database}${end}`, `${crashed}${end}`)
  })
  const putBack = () => restore(settings, join(dirname(settings.dataDir), 'backup.sqlite'))
  return { site, settings, database, crashed, putBack }
}

test('a log that was left where the backup is put is not written into it', async (t) => {
  const { site, settings, database, crashed, putBack } = await siteWithBackup(t)
  rmSync(database)
  copyFileSync(`${crashed}-wal`, `${database}-wal`)
  await refusesToStart(site, /database file .* is missing/)
  const journal = journalFolder(settings)
  renameSync(journal, `${journal}.away`)
  await assert.rejects(start(site), /log .*-wal is there/, 'a new database would be made of it')
  renameSync(`${journal}.away`, journal)
  assert.equal(await putBack(), '', 'there was no database to be kept')
  await recoverSite(site, ALL)
  using restored = new DatabaseSync(database)
  assert.deepEqual({ ...restored.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' })
  assert.equal(await site.number('select count(*) from accounts'), 1)
})

test('a database that was killed is kept with all that its log holds', async (t) => {
  const { database, crashed, putBack } = await siteWithBackup(t)
  for (const end of ['', '-wal']) copyFileSync(`${crashed}${end}`, `${database}${end}`)
  const aside = await putBack()
  assert.ok(typeof aside === 'string' && aside !== '')
  using kept = new DatabaseSync(aside)
  assert.deepEqual({ ...kept.prepare('select count(*) n from accounts').get() }, { n: 2 })
})

test('a backup that is copied beside the log of the database before is refused until the log is away', async (t) => {
  const { site, database, crashed } = await siteWithBackup(t)
  const copy = (end: string, from = crashed) => copyFileSync(`${from}${end}`, `${database}${end}`)
  copy('-wal')
  copy('', join(dirname(crashed), 'backup.sqlite'))
  await assert.rejects(start(site), /log .*duktig\.sqlite-wal is of another database .*: move .*-wal .* away/)
  await assert.rejects(recoverSite(site, ALL), /is of another database/)
  assert.throws(() => backupSqlite(database, `${crashed}.copy`), /is of another database/)
  renameSync(`${database}-wal`, `${database}-wal.away`)
  await refusesToStart(site, /a backup was put in place and has not been recovered yet/)
  await recoverSite(site, ALL)
  await (await start(site)).stop()
  assert.equal(await site.number('select count(*) from accounts'), 1)
})

test('a backup beside a strange log is kept aside untouched by a restore, and so is one that was cut to nothing', async (t) => {
  const { database, crashed, putBack } = await siteWithBackup(t)
  const backedUp = readFileSync(join(dirname(crashed), 'backup.sqlite'))
  for (const content of [backedUp, Buffer.alloc(0)]) {
    writeFileSync(database, content)
    copyFileSync(`${crashed}-wal`, `${database}-wal`)
    const aside = await putBack()
    assert.ok(typeof aside === 'string' && aside !== '')
    assert.deepEqual(readFileSync(aside), content)
    assert.deepEqual(readFileSync(`${aside}-wal`), readFileSync(`${crashed}-wal`))
  }
})

test('a copy of a database and its log is refused until the log is in it, then all of it is restored', async (t) => {
  const { site, settings, crashed } = await siteWithBackup(t)
  const before = readdirSync(settings.dataDir).toSorted()
  const refused = await restore(settings, crashed)
  assert.ok(typeof refused === 'object')
  assert.match(
    refused.problem,
    /crashed is not whole, since a part of it is in .*crashed-wal: .*wal_checkpoint/,
  )
  assert.deepEqual(readdirSync(settings.dataDir).toSorted(), before)
  using copy = new DatabaseSync(crashed)
  copy.exec('pragma wal_checkpoint(truncate)')
  assert.equal(typeof (await restore(settings, crashed)), 'string')
  await recoverSite(site, ALL)
  assert.equal(await site.number('select count(*) from accounts'), 2)
})

test('a damaged database does not stand in the way of the backup that is to replace it', async (t) => {
  const { site, database, putBack } = await siteWithBackup(t)
  for (const damage of [
    () => writeFileSync(database, 'this is no database, and has been none for long'.repeat(100)),
    () => truncateSync(database, 100),
  ]) {
    damage()
    const aside = await putBack()
    assert.ok(typeof aside === 'string' && aside !== '')
    await recoverSite(site, ALL)
    assert.equal(await site.number('select count(*) from accounts'), 1)
  }
})

test('what is put in place is refused until it is recovered, as is a backup of it, and nothing lies beside it', async (t) => {
  const { site, settings, database, putBack } = await siteWithBackup(t)
  const why = /has not been recovered yet/
  // A plain copy of the file is in WAL mode, and would get a log when it is opened.
  copyFileSync(database, join(dirname(settings.dataDir), 'backup.sqlite'))
  writeFileSync(`${database}.restoring-journal`, 'of a restore that was killed')
  await putBack()
  assert.deepEqual(globSync(`${database}.restoring*`), [])
  await refusesToStart(site, why)
  const again = join(dirname(settings.dataDir), 'again.sqlite')
  await backup(settings, again)
  renameSync(again, database)
  await refusesToStart(site, why)
  await recoverSite(site, ALL)
  await withService(site, async () => {})
})

test('a backup that is put in place by hand is refused until it is recovered, though nothing ended since', async (t) => {
  const { site, settings, database } = await siteWithBackup(t)
  for (const end of ['-wal', '-shm']) rmSync(`${database}${end}`, { force: true })
  copyFileSync(join(dirname(settings.dataDir), 'backup.sqlite'), database)
  await refusesToStart(site, /has not been recovered yet/)
  await recoverSite(site, ALL)
  await withService(site, async (service) => {
    assert.ok(
      (await register(site, service, 'three@example.com')) > 2,
      'and the id of who is gone is not given out again',
    )
  })
})

test('beside a service that runs nothing is put back, recovered or started, and nothing is left', async (t) => {
  const { site, settings, database, putBack } = await siteWithBackup(t)
  await withService(site, async (service) => {
    const before = readdirSync(settings.dataDir).toSorted()
    const refused = await putBack()
    assert.ok(typeof refused === 'object' && refused.problem.includes('in use by a service: stop it first'))
    await assert.rejects(recoverSite(site, ALL), StoreUnavailable)
    await assert.rejects(start(site), /in use by a service/)
    rmSync(database)
    assert.equal(typeof (await putBack()), 'object', 'also where its database is gone')
    const { status } = await sendJson(service.address, 'GET', '/health/ready')
    assert.equal(status, 503, 'what it writes now is lost')
    assert.deepEqual(
      readdirSync(settings.dataDir).toSorted(),
      before.filter((name) => name !== 'duktig.sqlite'),
    )
  })
})

test('beside a command or another program that has the database open nothing is put back, and nothing is left', async (t) => {
  const { site, settings, database, crashed, putBack } = await siteWithBackup(t)
  const problem = async () => {
    const before = readdirSync(settings.dataDir).toSorted()
    const refused = await putBack()
    assert.deepEqual(readdirSync(settings.dataDir).toSorted(), before)
    return typeof refused === 'object' ? refused.problem : `the database before is ${refused}`
  }
  await withStore(site, async () => {
    assert.match(await problem(), /in use by a command: let it end, or stop it, first/)
    rmSync(database)
    assert.match(await problem(), /in use by a command/, 'also where its database is gone')
    copyFileSync(crashed, database)
  })
  using shell = new DatabaseSync(database)
  shell.exec('pragma journal_mode = wal')
  assert.match(await problem(), /in use by another program: let it end, or stop it, first/)
  shell.close()
  assert.equal(typeof (await putBack()), 'string')
})

test('the database and the secret alone, in a folder of another name, are not taken for one in which nothing ended', async (t) => {
  const { site, settings } = await siteWithBackup(t)
  const moved = mkdtempSync(join(dirname(settings.dataDir), 'moved-'))
  for (const name of ['duktig.sqlite', 'secret'])
    copyFileSync(join(settings.dataDir, name), join(moved, name))
  site.variables['DUKTIG_DATA_DIR'] = moved
  await refusesToStart(site, /journal of this instance is gone/)
  assert.equal((await recoverSite(site, ALL)).endedAll, true)
  await withService(site, async () => {})
})

test('a start that fails leaves no file of the journal open', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const { site, settings } = await siteWithBackup(t)
  await site.sql("create trigger no before update on instances begin select raise(abort, 'no'); end")
  await assert.rejects(start(site), /no/)
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // The descriptor with which the folder itself was read.
      return ''
    }
  })
  assert.deepEqual(
    open.filter((path) => path.startsWith(journalFolder(settings))),
    [],
  )
})

test('a recovery that fails leaves the database refused, and what the next one leaves out goes on from there', async (t) => {
  const { site, settings, putBack } = await siteWithBackup(t)
  await putBack()
  rmSync(join(settings.dataDir, 'journal'), { recursive: true })
  await site.sql("create trigger no before update on instances begin select raise(abort, 'no'); end")
  for (let i = 0; i < 2; i++) {
    await assert.rejects(recoverSite(site, ALL), /no/)
    await refusesToStart(site, /older than the journal/)
  }
  await site.sql('drop trigger no')
  await recoverSite(site, ALL)
  const id = await withService(site, (service) => register(site, service, 'three@example.com'))
  assert.ok(id > 3_000_000, `${id} is behind what each of three recoveries left out`)
})
