/** `GET /users/{userId}/actions`: order, pages, dates and mistakes; and that nothing is lost when the service stops. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GUEST } from '../../src/core/actions.ts'
import { openStore } from '../../src/open-store.ts'
import { startService } from '../../src/serve.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { ALL, Administrator, codes } from '../support/administrator.ts'
import { PASSWORD } from '../support/people.ts'
import { sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, openBeside, silentLog } from '../support/service.ts'

let admin: Administrator

before(async () => {
  admin = await Administrator.start()
})
after(() => admin.service.stop())

describe('the list', () => {
  test('is newest first, in pages', async () => {
    const { account, headers } = await admin.somebody()
    for (let i = 0; i < 6; i++) await sendJson(admin.service.address, 'GET', '/user', headers)
    await sendJson(admin.service.address, 'GET', '/account/sessions', headers)
    const all = await admin.listed(account.accountId)
    const reads = Array.from({ length: 6 }, () => 'User->getAccount')
    assert.deepEqual(codes(all), ['User->getSessions', ...reads, 'Auth->Authorize'])
    assert.deepEqual(Object.keys(all[0] ?? {}), ['dateAction', 'actionCode', 'actionMessage'])
    assert.match(all[0]?.dateAction ?? '', /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/)
    const range = 'dateFrom=0&dateTo=4102444800'
    assert.deepEqual(
      codes(await admin.listed(account.accountId, `offset=0&limit=2&${range}`)),
      codes(all).slice(0, 2),
    )
    assert.deepEqual(await admin.listed(account.accountId, `offset=7&limit=5&${range}`), all.slice(7))
    assert.deepEqual(await admin.listed(account.accountId, `offset=8&limit=5&${range}`), [])
  })

  test('keeps to its dates, both included, to the second', async () => {
    const { account } = await admin.somebody()
    const [action] = await admin.listed(account.accountId)
    const at = Date.parse(`${action?.dateAction.replace(' ', 'T') ?? ''}Z`) / 1000
    const between = (from: number, to: number) =>
      admin.listed(account.accountId, `offset=0&limit=10&dateFrom=${from}&dateTo=${to}`)
    assert.equal((await between(at, at)).length, 1)
    assert.deepEqual(await between(at + 1, at + 10), [])
    assert.deepEqual(await between(at - 10, at - 1), [])
    assert.deepEqual(await between(at + 10, at - 10), [])
  })

  test('is capped at a thousand', async () => {
    const { account } = await admin.somebody()
    const { deps, close } = await openBeside(admin.service)
    const by = { accountId: account.accountId, code: 'User->getAccount', message: 'Account read' } as const
    for (let i = 0; i < 1100; i++) deps.events.action(by)
    await close()
    assert.equal(
      (await admin.listed(account.accountId, ALL.replace('limit=1000', 'limit=100000'))).length,
      1000,
    )
  })

  test('tells every mistake in the query, in the words of the published page', async () => {
    const ask = (query: string) =>
      sendJson(
        admin.service.address,
        'GET',
        `/users/${admin.account.accountId}/actions${query}`,
        admin.headers,
      )
    const mistakes = {
      offset: ['Required int value min 0'],
      limit: ['Required int value min 1'],
      dateFrom: ['Required valid date with format: U'],
      dateTo: ['Required valid date with format: U'],
    }
    for (const query of ['', '?offset=-1&limit=0&dateFrom=yesterday&dateTo=2026-01-01']) {
      const { status, body } = await ask(query)
      assert.equal(status, 422)
      assert.equal(JSON.stringify(body), JSON.stringify(mistakes))
    }
  })

  test('is there for accounts, guests and the system, and for nobody else', async () => {
    const statusOf = async (userId: string) =>
      (await sendJson(admin.service.address, 'GET', `/users/${userId}/actions?${ALL}`, admin.headers)).body[
        'message'
      ]
    assert.equal(await statusOf('999999'), 'Account not found')
    for (const userId of ['0', '-1', '-4', '-23', '-02', '+1', '1.0', 'abc'])
      assert.equal(await statusOf(userId), 'Resource not found')
    for (const path of ['/users/-2', '/users/-2/sessions']) {
      assert.equal(
        (await sendJson(admin.service.address, 'GET', path, admin.headers)).body['message'],
        'Resource not found',
      )
    }
  })
})

test('a service that is stopped cleanly loses no action', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'duktig-stop-'))
  const settings = readSettings({
    DUKTIG_PORT: '0',
    DUKTIG_METRICS_PORT: '0',
    DUKTIG_DATA_DIR: dataDir,
    DUKTIG_AUTH_KEY: AUTH_KEY,
  })
  try {
    const running = await startService(settings, { log: silentLog })
    const key = { 'X-Auth-Key': AUTH_KEY }
    for (let i = 0; i < 5; i++) {
      const nobody = { email: 'nobody@example.com', password: PASSWORD }
      assert.equal((await sendJson(running.address, 'POST', '/auth/token', key, nobody)).status, 401)
    }
    await running.stop()
    const { store } = await openStore(settings)
    assert.equal((await store.listActions(GUEST, 0, 10, 0, Number.MAX_SAFE_INTEGER)).length, 5)
    await store.close()
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
