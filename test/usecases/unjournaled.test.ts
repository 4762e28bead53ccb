/** The audit trail when the database has a change that the journal lacks: the caller is told to retry, and does. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { compose } from '../../src/compose.ts'
import type { Account } from '../../src/core/account.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { isDenial } from '../../src/core/denial.ts'
import { openEngine } from '../../src/open-store.ts'
import { openJournal } from '../../src/operations/end-journal.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { journaled } from '../../src/store/journaled.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { changeApplication } from '../../src/usecases/applications.ts'
import { changeAccount } from '../../src/usecases/change-account.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { endSessions } from '../../src/usecases/end-sessions.ts'
import { emailHash } from '../../src/usecases/guard-sign-in.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { signIn } from '../../src/usecases/sign-in.ts'
import { signOutWithRefreshToken } from '../../src/usecases/sign-out.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'
import { PASSWORD } from '../support/people.ts'
import { silentLog } from '../support/service.ts'

const ADDRESS = '192.0.2.1'

/** Use cases over a real store with a real journal, whose writes the database cannot count while `disk.fails`. */
async function site(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'duktig-unjournaled-'))
  const settings = readSettings({ DUKTIG_DATA_DIR: folder })
  const { store: bare } = await openEngine(settings)
  const disk = { fails: false }
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    instanceId: 'one',
    database: await bare.databaseId(),
    clock: bare.clock,
    startAtOnce: true,
    numberWrite: () =>
      disk.fails ? Promise.reject(new StoreUnavailable('the disk is full')) : bare.countWrite('one'),
  })
  const { deps, recorder } = await compose(settings, journaled(bare, journal), silentLog)
  let isStopped = false
  const stopRecorder = async () => {
    if (!isStopped) await recorder.stop()
    isStopped = true
  }
  t.after(async () => {
    await stopRecorder()
    await journal.close()
    await bare.close()
    rmSync(folder, { recursive: true })
  })
  /** Everything that has been recorded, after the recorder has written all of it. */
  const trail = async () => {
    await stopRecorder()
    const actions = await bare.latestActions(1000)
    return actions.map(({ code, message }) => `${code} ${message}`)
  }
  /** Acts as a caller does: told to retry, the caller sends the request again. */
  const askTwice = async <T>(ask: () => Promise<T>): Promise<T> => {
    disk.fails = true
    await assert.rejects(ask(), StoreUnavailable)
    disk.fails = false
    return ask()
  }
  const { application } = await makeApplication(deps, { parallelWindowSeconds: 0, retryWindowSeconds: 0 })
  const account = await makeAccount(deps, { passwordHash: await deps.passwords.hash(PASSWORD) })
  return { deps, folder, application, account, disk, trail, askTwice }
}

const counted = (lines: readonly string[], line: string) => lines.filter((each) => each === line).length

test('reuse that was found while the journal could not be written is in the audit trail, once', async (t) => {
  const { deps, application, account, trail, askTwice } = await site(t)
  const { refreshToken: old } = await openSession(deps, account, application)
  const ask = (refreshToken: string) =>
    refreshSession(deps, { refreshToken, application: null, address: ADDRESS, attemptKey: null })
  let latest = old
  for (let i = 0; i < 2; i++) {
    const refreshed = await ask(latest)
    assert.ok(!isDenial(refreshed) && refreshed.refreshToken !== null)
    latest = refreshed.refreshToken
  }
  assert.ok(isDenial(await askTwice(() => ask(old))))
  assert.equal(counted(await trail(), 'Auth->SessionEnded reuse'), 1)
})

test('a sign-out whose journal could not be written is in the audit trail, once', async (t) => {
  const { deps, application, account, trail, askTwice } = await site(t)
  const { refreshToken } = await openSession(deps, account, application)
  await askTwice(() => signOutWithRefreshToken(deps, refreshToken, ADDRESS))
  const lines = await trail()
  assert.equal(counted(lines, 'Auth->SignOut Signed out successfully'), 1)
  assert.equal(counted(lines, 'Auth->SessionEnded signed-out'), 1)
})

test('each session that ended with all others is in the audit trail once, although the journal could not be written', async (t) => {
  const { deps, application, account, trail, askTwice } = await site(t)
  for (let i = 0; i < 3; i++) await openSession(deps, account, application)
  const { accountId } = account
  const by = { accountId, code: 'User->endSessions', message: 'All ended' } as const
  assert.equal(await askTwice(() => endSessions(deps, by, accountId, 'ended-by-user')), 0)
  assert.equal(counted(await trail(), 'Auth->SessionEnded ended-by-user'), 3)
})

test('each session that a new password ended is in the audit trail once, although the journal could not be written', async (t) => {
  const { deps, application, account, trail, askTwice } = await site(t)
  for (let i = 0; i < 2; i++) await openSession(deps, account, application)
  const changed = await askTwice(() => changePassword(deps, account))
  assert.ok(!isDenial(changed))
  assert.equal(counted(await trail(), 'Auth->SessionEnded password-changed'), 2)
})

test('the session that made room for a sign-in is in the audit trail, once, and so is the sign-in', async (t) => {
  const { deps, application, account, trail, askTwice } = await site(t)
  for (let i = 0; i < 100; i++) await openSession(deps, account, application)
  const device = { address: ADDRESS, userAgent: null, deviceId: null }
  const { email } = account
  const request = { email, password: PASSWORD, application, device, deviceToken: '' }
  assert.ok(!isDenial(await askTwice(() => signIn(deps, request))))
  const lines = await trail()
  assert.equal(counted(lines, 'Auth->SessionEnded session-limit'), 1)
  assert.equal(counted(lines, 'Auth->Authorize Signed in successfully'), 1)
})

test('an application that was disabled while the journal could not be written is in the audit trail', async (t) => {
  const { deps, application, trail, disk } = await site(t)
  disk.fails = true
  await assert.rejects(changeApplication(deps, application, { disabled: true }), StoreUnavailable)
  disk.fails = false
  const line = `Applications->change Application ${application.clientId} changed: disabled`
  assert.equal(counted(await trail(), line), 1)
})

test('a new password is in the audit trail although what guesses had locked could not be opened', async (t) => {
  const { deps, folder, application, account, trail } = await site(t)
  await openSession(deps, account, application)
  const attempt = {
    accountKey: emailHash(account.email),
    sources: ['address'],
    bucketKey: 'bucket',
    size: { capacity: 10, leakMs: 1000 },
  } as const
  assert.ok((await deps.store.admitSignIn(attempt)).admitted)
  using beside = new DatabaseSync(join(folder, 'duktig.sqlite'))
  beside.exec("create trigger broken before delete on guards begin select raise(abort, 'broken'); end")
  await assert.rejects(changePassword(deps, account), /broken/)
  beside.exec('drop trigger broken')
  const lines = await trail()
  assert.equal(counted(lines, 'Users->patchAccount Changed; new password'), 1)
  assert.equal(counted(lines, 'Auth->SessionEnded password-changed'), 1)
})

function changePassword(deps: Deps, { accountId }: Account) {
  const by = { accountId: SYSTEM, code: 'Users->patchAccount', message: 'Changed' } as const
  return changeAccount(deps, by, accountId, { password: 'Another-Horse-2' })
}
