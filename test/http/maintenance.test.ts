/** Maintenance: only ping and the health checks are served, so that orchestrators do not kill the process. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Tokens, addAccount, refresh, signIn } from '../support/people.ts'
import { send } from '../support/raw-http.ts'
import { AUTH_KEY, type TestService, UNLIMITED, startTestService } from '../support/service.ts'
import { routesOf } from '../support/routes.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'duktig-maintenance-'))
let service: TestService
let tokens: Tokens

before(async () => {
  const open = await startTestService({ ...UNLIMITED, DUKTIG_DATA_DIR: dataDir })
  const { email } = await addAccount(open)
  tokens = await signIn(open, email)
  await open.stop()
  service = await startTestService({ ...UNLIMITED, DUKTIG_DATA_DIR: dataDir, DUKTIG_MAINTENANCE: 'on' })
})
after(async () => {
  await service.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const ALWAYS = ['/system/ping', '/health/live', '/health/ready']

test('ping and the health checks are answered as ever', async () => {
  const [ping, ...health] = await Promise.all(ALWAYS.map((path) => send(service.address, 'GET', path)))
  assert.deepEqual([ping?.status, ping?.text], [200, 'pong'])
  for (const { status, text } of health) assert.deepEqual([status, text], [200, '{"status":"OK"}'])
})

test('every other route says to come again, whatever credential comes along', async () => {
  // The document itself is under maintenance too, so another service provides the same list of routes.
  const open = await startTestService(UNLIMITED)
  const routes = (await routesOf(open.address)).filter(({ path }) => !ALWAYS.includes(path))
  await open.stop()
  assert.ok(routes.length >= 5)
  const headers = {
    'X-Auth-Key': AUTH_KEY,
    'Access-Token': tokens.accessToken,
    'Refresh-Token': tokens.refreshToken,
  }
  for (const { method, path } of routes) {
    const answer = await send(service.address, method, path.replaceAll(/\{\w+\}/g, '1'), headers)
    const says = `${method} ${path}`
    assert.equal(answer.status, 503, says)
    assert.equal(answer.text, '{"status":"error","message":"Service Unavailable"}', says)
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/, says)
    assert.equal(answer.headers['cache-control'], 'no-store', says)
  }
})

test('a route that is not there says so too: nobody learns anything', async () => {
  assert.equal((await send(service.address, 'GET', '/nothing')).status, 503)
})

test('sessions live on: after it the refresh token is as good as before', async () => {
  await service.stop()
  service = await startTestService({ ...UNLIMITED, DUKTIG_DATA_DIR: dataDir })
  assert.equal((await refresh(service, tokens.refreshToken)).status, 200)
})
