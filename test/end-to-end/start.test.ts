/** From a fresh checkout to a signed-in administrator and through a restart; then what keeps it from starting. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { LIMITS } from '../../src/settings/limits.ts'
import { type Checkout, type Serving, copyOfCheckout } from '../support/checkout.ts'
import { claimsOf } from '../support/keys.ts'
import { sendJson } from '../support/raw-http.ts'
import { openConnection } from '../support/raw-socket.ts'
import { filesUnder } from '../support/files.ts'

const EMAIL = 'admin@example.com'
const PASSWORD = 'Correct-Horse-1'

describe('from the first start to the second', () => {
  let checkout: Checkout
  let service: Serving
  let key: string
  let refreshToken: string

  before(() => {
    checkout = copyOfCheckout()
  })
  after(async () => {
    await service.stop()
    checkout.remove()
  })

  const signIn = () =>
    sendJson(
      service.address,
      'POST',
      '/auth/token',
      { 'X-Auth-Key': key },
      { email: EMAIL, password: PASSWORD },
    )
  const refresh = () =>
    sendJson(service.address, 'POST', '/auth/refresh_token', { 'Refresh-Token': refreshToken })

  test('the first start prints where it listens, the key, and what to do next', async () => {
    service = await checkout.serve()
    key = /Application key: +(duktig_[A-Za-z0-9_-]{43}) /.exec(service.printed())?.[1] ?? ''
    assert.notEqual(key, '')
    assert.match(service.printed(), /First administrator: +\.\/bin\/duktig account create --email /)
    assert.match(service.printed(), new RegExp(`API reference: +${service.address}/docs`))
    const [, metrics = ''] = /Metrics: +(\S+)/.exec(service.printed()) ?? []
    assert.match(await (await fetch(metrics)).text(), /^duktig_\w+/m)
  })

  test('what it keeps is for its owner alone', () => {
    const data = join(checkout.folder, 'data')
    assert.equal(statSync(data).mode & 0o777, 0o700)
    for (const file of ['secret', 'duktig.sqlite', 'duktig.sqlite-wal', 'duktig.sqlite-shm'])
      assert.equal(statSync(join(data, file)).mode & 0o777, 0o600, file)
    const shown = filesUnder(data).filter((file) => readFileSync(file).includes(key))
    assert.deepEqual(shown, [])
  })

  test('the first administrator is made as the start says', async () => {
    const { code, out } = await checkout.run(['account', 'create', '--email', EMAIL, '--password-stdin'], {
      input: `${PASSWORD}\n`,
    })
    assert.equal(code, 0)
    assert.equal(out, `Account 1 created for ${EMAIL}.\n`)
  })

  test('he signs in, refreshes and reads his account', async () => {
    const signedIn = await signIn()
    assert.equal(signedIn.status, 200)
    refreshToken = String(signedIn.body['refresh_token'])
    const refreshed = await refresh()
    assert.equal(refreshed.status, 200)
    const accessToken = String(refreshed.body['access_token'])
    assert.equal((claimsOf(accessToken)['account'] as { roleId: number }).roleId, 1)
    const { status, body } = await sendJson(service.address, 'GET', '/user', { 'Access-Token': accessToken })
    assert.deepEqual([status, body['email'], body['firstName']], [200, EMAIL, 'Super'])
  })

  test('a request under way is answered before it stops, and no other is taken', async () => {
    const body = JSON.stringify({ email: EMAIL, password: PASSWORD })
    const connection = await openConnection(service.address)
    connection.write(
      `POST /auth/token HTTP/1.1\r\nHost: x\r\nX-Auth-Key: ${key}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    )
    // The service waits for the body now.
    await connection.until(/100 Continue/)
    service.signal('SIGTERM')
    await untilRefused(service.address)
    const startedMs = performance.now()
    connection.write(body)
    const answer = await connection.untilClosed()
    assert.match(answer, /HTTP\/1\.1 200 OK[^]*"message":"Signed in successfully"/)
    assert.deepEqual(await service.ended.then(({ code, err }) => [code, err]), [0, ''])
    const events = [...service.printed().matchAll(/"event":"(stop\w+)"/g)].map(([, event]) => event)
    assert.deepEqual(events, ['stopping', 'stopped'])
    // The stop does not wait for a connection that is kept alive, once its request is answered.
    assert.ok(performance.now() - startedMs < LIMITS.drainMs / 2)
  })

  test('the second start prints no key, and finds the session alive', async () => {
    service = await checkout.serve()
    assert.doesNotMatch(service.printed(), /Application key|First administrator/)
    assert.equal((await refresh()).status, 200)
    assert.equal((await signIn()).status, 200)
  })

  test('a port that is taken stops a third start, and is named', async () => {
    const { port } = new URL(service.address)
    const variables = { DUKTIG_PORT: port, DUKTIG_DATA_DIR: 'another' }
    const { code, err } = await checkout.run(['serve'], { variables })
    assert.equal(code, 1)
    assert.match(err, /^duktig: port \d+ of 127\.0\.0\.1 is taken already; set DUKTIG_PORT to a free one\n$/)
    assert.equal((await refresh()).status, 200)
  })

  test('a data folder that another service has stops it as well, and is named', async () => {
    const { code, err } = await checkout.run(['serve'], { variables: { DUKTIG_PORT: '0' } })
    assert.equal(code, 1)
    assert.match(err, /^duktig: .*duktig\.sqlite is in use by a service: stop it first.*DUKTIG_DATA_DIR/m)
    assert.equal((await refresh()).status, 200)
  })
})

/** Waits until the service accepts no more connections. */
async function untilRefused(address: string): Promise<void> {
  for (;;) {
    try {
      const { socket } = await openConnection(address)
      socket.destroy()
    } catch {
      return
    }
  }
}

describe('what is decided before the first start', () => {
  let checkout: Checkout
  before(() => {
    checkout = copyOfCheckout()
  })
  after(() => checkout.remove())

  test('wrong settings stop it, with all mistakes at once and no secret', async () => {
    const variables = {
      DUKTIG_PORT: 'eighty',
      DUKTIG_TIME_ZONE: 'Mars/Olympus',
      DUKTIG_SECRET: 'too-short-but-secret',
      DUKTIG_TYPO: '1',
    }
    const { code, out, err } = await checkout.run(['serve'], { variables })
    assert.deepEqual([code, out], [1, ''])
    const [first, ...lines] = err.trimEnd().split('\n')
    assert.equal(first, 'duktig: The settings need mending:')
    assert.deepEqual(
      lines.map((line) => /DUKTIG_\w+/.exec(line)?.[0]),
      ['DUKTIG_PORT', 'DUKTIG_SECRET', 'DUKTIG_TIME_ZONE', 'DUKTIG_TYPO'],
    )
    assert.equal(err.includes('too-short-but-secret'), false)
  })

  const full = '/dev/full'
  test(`output that cannot be written stops it in one line${existsSync(full) ? '' : `, left out: there is no ${full}`}`, {
    skip: existsSync(full) ? false : `there is no ${full}`,
  }, () => {
    const { status, stderr } = spawnSync(process.execPath, ['bin/duktig', 'serve'], {
      cwd: checkout.folder,
      env: { DUKTIG_DATA_DIR: 'elsewhere', DUKTIG_PORT: '0', DUKTIG_METRICS_PORT: '0' },
      stdio: ['ignore', openSync(full, 'w'), 'pipe'],
      timeout: 60_000,
    })
    assert.equal(status, 1)
    assert.match(stderr.toString(), /^duktig: standard output cannot be written: ENOSPC.*\n$/)
  })

  test('an unknown command says so', async () => {
    const { code, err } = await checkout.run(['sevre'])
    assert.equal(code, 1)
    assert.match(err, /unknown command 'sevre'/)
  })

  test('an account made before the first start does not swallow the key; a password nobody gave is shown', async () => {
    const made = await checkout.run(['account', 'create', '--email', EMAIL])
    assert.equal(made.code, 0, made.err)
    const password = /^Password: (\S{20,}) +\(shown only now\)$/m.exec(made.out)?.[1] ?? ''
    writeFileSync(join(checkout.folder, '.env'), 'DUKTIG_AUDIENCE=from-the-file\n')
    const service = await checkout.serve()
    try {
      const key = /Application key: +(duktig_\S+)/.exec(service.printed())?.[1]
      assert.ok(key, 'the first start shows the key')
      const headers = { 'X-Auth-Key': key }
      const { status, body } = await sendJson(service.address, 'POST', '/auth/token', headers, {
        email: EMAIL,
        password,
      })
      assert.equal(status, 200)
      assert.equal(claimsOf(String(body['access_token']))['aud'], 'from-the-file')
    } finally {
      await service.stop()
    }
  })
})
