/** The log: one line of JSON for each event, and which requests leave a line. */
import assert from 'node:assert/strict'
import fs, { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLog, logTo } from '../../src/operations/log.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { addAccount, readOwn, refresh, signIn, trySignIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { type TestService, UNLIMITED, startTestService } from '../support/service.ts'

/** A log in memory. */
function memoryLog(level = 'info') {
  const written: string[] = []
  const log = createLog(level, { write: (text: string) => void written.push(text) })
  const lines = () => written.map((text) => JSON.parse(text) as Record<string, unknown>)
  return { log, written, lines }
}

describe('a line', () => {
  test('is one JSON object with time, level and message', () => {
    const { log, written, lines } = memoryLog()
    log.warn({ event: 'store' }, 'The store cannot answer')
    assert.equal(written.length, 1)
    assert.deepEqual(Object.keys(lines()[0] ?? {}), ['level', 'time', 'event', 'msg'])
    assert.equal(lines()[0]?.['level'], 'warn')
    assert.match(String(lines()[0]?.['time']), /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  })

  test('stays one line, whatever somebody typed', () => {
    const { log, written, lines } = memoryLog()
    const nasty = 'a\n{"level":"error","msg":"forged"}\r\n\u2028\u001b[2J\0"\\'
    log.info({ event: nasty, address: nasty }, nasty)
    assert.equal(written.length, 1)
    assert.equal(written[0]?.trimEnd().includes('\n'), false)
    assert.equal(/\p{Cc}/u.test(written[0]?.trimEnd() ?? ''), false)
    assert.equal(lines()[0]?.['msg'], nasty)
    assert.equal(lines()[0]?.['level'], 'info')
  })

  const full = '/dev/full'
  test(`that cannot be written does no harm${existsSync(full) ? '' : ` (left out: there is no ${full})`}`, {
    skip: existsSync(full) ? false : `there is no ${full}`,
  }, () => {
    const log = createLog('info', logTo(full))
    for (let i = 0; i < 3; i++) log.error({ event: 'fault' }, 'There is no space left on the disk')
  })

  for (const code of ['ENOSPC', 'EAGAIN']) {
    test(`that cannot be written for ${code} waits, up to a bound, and is written when there is room again`, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'duktig-log-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const file = join(folder, 'log')
      const log = createLog('info', logTo(file))
      const writing = t.mock.method(fs, 'writeSync', () => {
        throw Object.assign(new Error('not now'), { code })
      })
      const text = 'x'.repeat(1000)
      const lines = 2 * Math.ceil(LIMITS.logBytesWaiting / text.length)
      for (let number = 1; number <= lines; number++) log.info({ number, text }, 'While the disk is full')
      writing.mock.restore()
      for (const number of [lines + 1, lines + 2]) log.info({ number }, 'There is room again')
      const written = readFileSync(file, 'utf8').trimEnd().split('\n')
      const numbers = written.map((line) => (JSON.parse(line) as { number: number }).number)
      assert.equal(numbers.at(-1), lines + 2)
      // The first lines are there without a gap, the later ones are not.
      const kept = numbers.filter((number) => number <= lines)
      assert.deepEqual(
        kept,
        Array.from(kept, (_, i) => i + 1),
      )
      assert.ok(kept.length > lines / 4 && kept.length < lines)
    })
  }

  test('below the least level is not written', () => {
    const { log, written } = memoryLog('error')
    log.warn('No')
    log.info('No')
    assert.deepEqual(written, [])
  })
})

describe('requests', () => {
  const { log, lines } = memoryLog()
  let service: TestService
  before(async () => {
    service = await startTestService({ ...UNLIMITED, DUKTIG_SLOW_REQUEST_MS: '60000' }, log)
  })
  after(() => service.stop())

  test('leave a line only if they were security events', async () => {
    const { accountId, email } = await addAccount(service)
    const tokens = await signIn(service, email)
    await trySignIn(service, email, 'Wrong-Horse-1')
    const earlier = lines().length
    for (let i = 0; i < 3; i++) {
      assert.equal((await refresh(service, tokens.refreshToken)).status, 200)
      assert.equal((await readOwn(service, tokens.accessToken)).status, 200)
    }
    await send(service.address, 'GET', '/system/ping')
    assert.equal(lines().length, earlier)
    await refresh(service, 'no token')
    const events = lines().map(({ event, accountId: of }) => [event, of])
    assert.deepEqual(events, [
      ['Auth->Authorize', accountId],
      ['Auth->Refused', -2],
      ['invalid-token', undefined],
    ])
  })

  test('that take long leave a line with route, status and time', async () => {
    const slow = memoryLog()
    // Checking a password takes some milliseconds, so every sign-in is slow here.
    const impatient = await startTestService({ ...UNLIMITED, DUKTIG_SLOW_REQUEST_MS: '1' }, slow.log)
    const { email } = await addAccount(impatient)
    await signIn(impatient, email)
    await impatient.stop()
    const line = slow.lines().find(({ event, route }) => event === 'slow-request' && route === '/auth/token')
    assert.equal(line?.['status'], 200)
    assert.equal(line?.['level'], 'warn')
    assert.ok(Number.isInteger(line?.['durationMs']) && Number(line?.['durationMs']) >= 1)
  })
})
