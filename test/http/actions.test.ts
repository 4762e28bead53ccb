/** What is recorded of every operation, and for which account, as `GET /users/{userId}/actions` lists it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { GUEST, SYSTEM } from '../../src/core/actions.ts'
import { rotateKey } from '../../src/usecases/rotate-key.ts'
import { ALL, Administrator, codes } from '../support/administrator.ts'
import { PASSWORD, aPerson, addAccount, refresh, signIn, trySignIn } from '../support/people.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { AUTH_KEY, openBeside } from '../support/service.ts'

let admin: Administrator

before(async () => {
  admin = await Administrator.start()
})
after(() => admin.service.stop())

describe('what an account does itself', () => {
  const rows: readonly (readonly [code: string, method: string, path: string, body?: object])[] = [
    ['User->getAccount', 'GET', '/user'],
    ['User->getSessions', 'GET', '/account/sessions'],
    ['User->patchAccount', 'PATCH', '/user', { firstName: 'Aram' }],
    [
      'User->updateAccount',
      'PUT',
      '/user',
      { firstName: 'Aram', lastName: 'Sarkis', password: PASSWORD, phone: '000000' },
    ],
    ['User->endSessions', 'DELETE', '/account/sessions'],
    ['Auth->SignOut', 'DELETE', '/auth/token'],
  ]
  for (const [code, method, path, body] of rows) {
    test(`${method} ${path} is recorded as ${code}`, async () => {
      const { account, headers } = await admin.somebody()
      const actions = await admin.added(account.accountId, async () => {
        const { status } = await sendJson(admin.service.address, method, path, headers, body)
        assert.equal(status, 200)
      })
      assert.equal(actions[0]?.actionCode, code)
      const endings = actions.slice(1).map(({ actionCode }) => actionCode)
      assert.deepEqual(endings, method === 'DELETE' ? ['Auth->SessionEnded'] : [])
    })
  }

  test('signing in and registering are recorded too', async () => {
    const { account } = await admin.somebody()
    assert.deepEqual(codes(await admin.listed(account.accountId)), ['Auth->Authorize'])
    const { roleId: _roleId, status: _status, comment: _comment, ...person } = aPerson()
    const key = { 'X-Auth-Key': AUTH_KEY }
    assert.equal((await sendJson(admin.service.address, 'POST', '/user', key, person)).status, 200)
    const { deps, close } = await openBeside(admin.service)
    const registered = await deps.store.findAccountByEmail(person.email)
    await close()
    assert.deepEqual(codes(await admin.listed(registered?.accountId ?? 0)), ['User->registerAccount'])
  })

  test('a new password ends the other sessions, each with its reason', async () => {
    const { account, headers } = await admin.somebody()
    await signIn(admin.service, account.email)
    await signIn(admin.service, account.email)
    const actions = await admin.added(account.accountId, () =>
      sendJson(admin.service.address, 'PATCH', '/user', headers, { password: 'New-Horse-22' }),
    )
    assert.deepEqual(
      actions.map(({ actionCode, actionMessage }) => [actionCode, actionMessage]),
      [
        ['User->patchAccount', 'Patched successfully; new password'],
        ['Auth->SessionEnded', 'password-changed'],
        ['Auth->SessionEnded', 'password-changed'],
      ],
    )
  })

  test('refreshing is counted but not listed, unless it finds a stolen token', async () => {
    const { account, tokens: first } = await admin.somebody()
    const actions = await admin.added(account.accountId, async () => {
      for (let i = 0; i < 5; i++) assert.equal((await refresh(admin.service, first.refreshToken)).status, 200)
      for (const garbage of ['x', first.accessToken, `${first.refreshToken}x`])
        assert.equal((await refresh(admin.service, garbage)).status, 401)
      await send(admin.service.address, 'GET', '/system/ping')
    })
    assert.deepEqual(actions, [])
    const { text } = await send(admin.service.metricsAddress, 'GET', '/metrics')
    assert.match(text, /^duktig_refreshes_total\{result="kept"\} 5$/m)
    assert.match(text, /^duktig_refreshes_total\{result="refused"\} 3$/m)
    assert.match(text, /^duktig_actions_dropped_total 0$/m)
  })

  test('what is refused leaves no action', async () => {
    const { account, headers } = await admin.somebody()
    const actions = await admin.added(account.accountId, async () => {
      assert.equal(
        (await sendJson(admin.service.address, 'PATCH', '/user', headers, { firstName: '' })).status,
        422,
      )
      assert.equal(
        (await sendJson(admin.service.address, 'GET', `/users/1/actions?${ALL}`, headers)).status,
        403,
      )
      assert.equal(
        (await sendJson(admin.service.address, 'GET', '/user', { 'Access-Token': 'x' })).status,
        401,
      )
    })
    assert.deepEqual(actions, [])
  })
})

describe('what an administrator does', () => {
  const rows: readonly (readonly [code: string, method: string, path: string, body?: object])[] = [
    ['Users->getAccounts', 'GET', '/users?offset=0&limit=10'],
    ['Users->getAccount', 'GET', '/users/{id}'],
    ['Users->patchAccount', 'PATCH', '/users/{id}', { comment: 'Looked at' }],
    ['User->getSessions', 'GET', '/users/{id}/sessions'],
    ['Users->endSessions', 'DELETE', '/users/{id}/sessions'],
    ['Users->terminateAccount', 'DELETE', '/users/{id}'],
    ['UserActions->getUserActionsStats', 'GET', '/stats/user_actions'],
    ['AppLogs->appLogs', 'GET', '/stats/app_logs'],
    ['Users->getUserActions', 'GET', `/users/{id}/actions?${ALL}`],
  ]
  for (const [code, method, path, body] of rows) {
    test(`${method} ${path.replace(/\?.*/, '')} is recorded as ${code}`, async () => {
      const { account } = await admin.somebody()
      const actions = await admin.added(admin.account.accountId, async () => {
        const url = path.replace('{id}', String(account.accountId))
        const { status } = await sendJson(admin.service.address, method, url, admin.headers, body)
        assert.ok(status === 200 || status === 204, String(status))
      })
      assert.deepEqual(codes(actions), [code])
    })
  }

  test('creating and replacing accounts are recorded', async () => {
    const person = { ...aPerson(), comment: '' }
    const actions = await admin.added(admin.account.accountId, async () => {
      const created = await sendJson(admin.service.address, 'POST', '/users', admin.headers, person)
      assert.equal(created.status, 200)
      const url = `/users/${String(created.body['id'])}`
      assert.equal((await sendJson(admin.service.address, 'PUT', url, admin.headers, person)).status, 200)
    })
    assert.deepEqual(codes(actions), ['Users->registerAccount', 'Users->updateAccount'])
  })

  test('a change of role says whose and from which to which; one of status too, with the sessions it ended', async () => {
    const { account } = await admin.somebody()
    const path = `/users/${account.accountId}`
    const actions = await admin.added(admin.account.accountId, async () => {
      const email = `${account.accountId}-new@example.com`
      for (const change of [
        { phone: '37411223399' },
        { roleId: 2 },
        { status: 2 },
        { email, password: 'another1password' },
      ])
        assert.equal(
          (await sendJson(admin.service.address, 'PATCH', path, admin.headers, change)).status,
          200,
        )
    })
    const message = `Account ${account.accountId}: Account Patched successfully`
    assert.deepEqual(
      actions.map(({ actionMessage }) => actionMessage),
      ['', '; role 4 -> 2', '; status 1 -> 2', '; new e-mail address; new password'].map(
        (end) => message + end,
      ),
    )
    const [ended] = await admin.listed(account.accountId)
    assert.deepEqual([ended?.actionCode, ended?.actionMessage], ['Auth->SessionEnded', 'suspended'])
  })
})

describe('guests and the system', () => {
  test('a refused sign-in is a guest’s, and so is one of nobody', async () => {
    const { account } = await admin.somebody()
    const actions = await admin.added(GUEST, async () => {
      assert.equal((await trySignIn(admin.service, account.email, 'Wrong-Horse-1')).status, 401)
      assert.equal((await trySignIn(admin.service, 'nobody@example.com')).status, 401)
    })
    assert.deepEqual(codes(actions), ['Auth->Refused', 'Auth->Refused'])
    assert.equal(JSON.stringify(actions).includes('@'), false)
  })

  test('a sign-in with an account that is not active is the account’s', async () => {
    const account = await addAccount(admin.service, { status: 0 })
    assert.equal((await trySignIn(admin.service, account.email)).status, 403)
    assert.deepEqual(codes(await admin.listed(account.accountId)), ['Auth->Refused'])
  })

  test('the command line and its jobs are the system', async () => {
    const actions = await admin.added(SYSTEM, async () => {
      const { deps, close } = await openBeside(admin.service)
      await rotateKey(deps, 'access')
      await close()
      await addAccount(admin.service)
    })
    assert.deepEqual(codes(actions), ['Keys->rotate', 'Users->registerAccount'])
  })
})
