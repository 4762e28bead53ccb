/** The log level of each security event: events that an operator should look at stand out. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Composed, compose } from '../../src/compose.ts'
import { isDenial } from '../../src/core/denial.ts'
import { createLog } from '../../src/operations/log.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { openSqlite } from '../../src/store/sqlite/open.ts'
import { endSession } from '../../src/usecases/end-session.ts'
import { guardSignIn } from '../../src/usecases/guard-sign-in.ts'
import { refreshSession } from '../../src/usecases/refresh-session.ts'
import { registerAccount } from '../../src/usecases/register-account.ts'
import { makeAccount, makeApplication, openSession } from '../support/opened-session.ts'

const folder = mkdtempSync(join(tmpdir(), 'duktig-events-'))
const written: string[] = []
let nowMs = Date.UTC(2026, 0, 15, 12)
let composed: Composed

before(async () => {
  const settings = readSettings({ DUKTIG_DATA_DIR: folder })
  const { store } = await openSqlite(join(folder, 'duktig.sqlite'), { nowMs: () => nowMs })
  const log = createLog('info', { write: (text: string) => void written.push(text) })
  composed = await compose(settings, store, log)
})
after(async () => {
  await composed.recorder.stop()
  await composed.deps.store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The events that `act` leaves in the log, each with its level and its message. */
async function logged(act: () => Promise<unknown>): Promise<readonly (readonly unknown[])[]> {
  written.length = 0
  await act()
  const lines = written.map((text) => JSON.parse(text) as Record<string, unknown>)
  return lines.map(({ level, event, msg }) => [level, event, msg])
}

test('the reuse of a refresh token is a warning', async () => {
  const { deps } = composed
  const { application } = await makeApplication(deps)
  let { refreshToken } = await openSession(deps, await makeAccount(deps), application)
  const stolen = refreshToken
  const ask = (token: string) =>
    refreshSession(deps, { refreshToken: token, attemptKey: null, application: null, address: '192.0.2.1' })
  for (let i = 0; i < 2; i++) {
    nowMs += 3_600_000
    const answer = await ask(refreshToken)
    assert.ok('refreshToken' in answer && answer.refreshToken !== null)
    refreshToken = answer.refreshToken
  }
  assert.deepEqual(await logged(() => ask(stolen)), [['warn', 'Auth->SessionEnded', 'reuse']])
})

test('so is a limit on guessing that was met', async () => {
  const { deps } = composed
  const attempt = { email: 'ani@example.com', address: '192.0.2.1', deviceToken: '' }
  const lines = await logged(async () => {
    for (let counted: object | null = null; counted === null || !isDenial(counted); )
      counted = await guardSignIn(deps, attempt, null)
  })
  assert.deepEqual(lines, [['warn', 'Auth->Locked', 'Too many requests']])
})

test('whoever goes on trying after that fills neither log nor trail', async () => {
  const { deps, recorder } = composed
  const locked = async () => {
    await recorder.flush()
    return (await deps.store.latestActions(10_000)).filter(({ code }) => code === 'Auth->Locked').length
  }
  const earlier = await locked()
  const attempt = { email: 'eva@example.com', address: '192.0.2.3', deviceToken: '' }
  const lines = await logged(async () => {
    for (let refused = 0; refused < 50; )
      if (isDenial((await guardSignIn(deps, attempt, null)) ?? {})) refused++
  })
  assert.deepEqual(lines, [['warn', 'Auth->Locked', 'Too many requests']])
  assert.equal((await locked()) - earlier, 1)
})

test('and so is the limit on registrations', async () => {
  const { deps } = composed
  const person = { firstName: 'Ani', lastName: 'Bee', password: 'Correct-Horse-1', phone: '+37400000000' }
  const lines = await logged(async () => {
    for (let i = 0, answer: object | number = 0; typeof answer === 'number'; i++)
      answer = await registerAccount(deps, { ...person, email: `r${i}@example.com`, address: '192.0.2.9' })
  })
  assert.deepEqual(lines.at(-1), ['warn', 'Auth->Locked', 'Too many registrations'])
  for (const [level, code] of lines.slice(0, -1))
    assert.deepEqual([level, code], ['info', 'User->registerAccount'])
})

test('a session that its user ends is none', async () => {
  const { deps } = composed
  const account = await makeAccount(deps)
  const { application } = await makeApplication(deps)
  const { session } = await openSession(deps, account, application)
  const { accountId } = account
  const by = { accountId, code: 'User->endSessions', message: 'Session ended' } as const
  const lines = await logged(() => endSession(deps, by, accountId, session.sessionId, 'ended-by-user'))
  assert.deepEqual(lines, [
    ['info', 'User->endSessions', 'Session ended'],
    ['info', 'Auth->SessionEnded', 'ended-by-user'],
  ])
})

for (const [what, event] of [
  ['keys that open nothing', 'unknown-key'],
  ['tokens that are none', 'invalid-token'],
  ['account keys of the original that are none', 'legacy-account-key'],
] as const) {
  test(`${what} are told at once, and then once a minute, with how many there were and from where`, (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { events } = composed.deps
    const count = {
      'unknown-key': events.unknownKey,
      'invalid-token': events.invalidToken,
      'legacy-account-key': events.wrongAccountKey,
    }[event]
    written.length = 0
    const lines = () =>
      written.splice(0).map((text) => {
        const line = JSON.parse(text) as Record<string, unknown>
        return [line['level'], line['event'], line['addresses'], line['requests']]
      })
    count('192.0.2.1')
    assert.deepEqual(lines(), [['warn', event, ['192.0.2.1'], 1]])
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) count(address)
    t.mock.timers.tick(59_999)
    assert.deepEqual(lines(), [])
    t.mock.timers.tick(1)
    assert.deepEqual(lines(), [['warn', event, ['192.0.2.1', '192.0.2.2'], 3]])
    for (let i = 0; i < 1000; i++) count(`203.0.113.${i % 250}`)
    t.mock.timers.tick(60_000)
    const [[, , addresses, requests] = []] = lines()
    assert.equal(requests, 1000)
    assert.equal((addresses as string[]).length, 20)
    t.mock.timers.tick(60_000)
    assert.deepEqual(lines(), [])
    for (const address of ['192.0.2.1', '192.0.2.3']) count(address)
    assert.equal(lines().length, 1)
    // The second stop does nothing.
    for (let i = 0; i < 2; i++) composed.refused.stop()
    assert.deepEqual(lines(), [['warn', event, ['192.0.2.3'], 1]])
  })
}
