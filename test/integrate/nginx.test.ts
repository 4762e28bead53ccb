/** The blocks of docs/integrate.md for proxies. That for nginx is run by nginx, where it is installed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingHttpHeaders, createServer } from 'node:http'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { changeAccount } from '../../src/usecases/change-account.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { send, sendJson } from '../support/raw-http.ts'
import { block, blocksOf, missing, newFolder } from './blocks.ts'
import { type Authority, openAuthority } from './tokens.ts'

const without = missing('nginx', '-v')
const note = without === false ? '' : `, left out: ${without}`
const folder = newFolder()
after(() => folder.remove())

const PASSED_ON = ['x-user-id', 'x-user-role', 'x-session-id'] as const

test('the blocks for proxies pass on what verify answers with, and nothing else', async () => {
  const authority = await openAuthority('HS256')
  try {
    const { address } = authority.service
    const headers = { 'Access-Token': authority.opened.accessToken }
    const answer = await sendJson(address, 'GET', '/auth/verify', headers)
    const answered = Object.keys(answer.headers).filter((name) => /^x-(user|session)/.test(name))
    assert.deepEqual(new Set(answered), new Set(PASSED_ON))
    const [yaml = ''] = blocksOf('With a proxy that asks', 'yaml')
    const copied = [...yaml.matchAll(/^ +- (X-[\w-]+)$/gm)].map(([, name = '']) => name.toLowerCase())
    assert.deepEqual(copied, [...PASSED_ON])
    const set = [
      ...block('With a proxy that asks', 'nginx').matchAll(/proxy_set_header (X-[\w-]+) \$duktig/g),
    ]
    assert.deepEqual(
      set.map(([, name = '']) => name.toLowerCase()),
      [...PASSED_ON],
    )
  } finally {
    await authority.close()
  }
})

test(`nginx with the block lets nobody through whom Duktig refuses${note}`, { skip: without }, async () => {
  const authority = await openAuthority('HS256', { DUKTIG_TRUSTED_PROXIES: '127.0.0.1' })
  const api = await startApi()
  const proxy = await startNginx(authority, api.port)
  try {
    const { accessToken, refreshToken, session } = authority.opened
    const ask = (headers: Readonly<Record<string, string>>) => send(proxy.address, 'GET', '/', headers)
    for (const credential of [
      { 'Access-Token': accessToken },
      { Authorization: `Bearer ${accessToken}` },
    ] as Readonly<Record<string, string>>[]) {
      const forged = { 'X-User-Id': '1', 'X-User-Role': '1', 'X-Session-Id': 'forged' }
      assert.equal((await ask({ ...forged, ...credential })).status, 200)
      const seen = api.seen.at(-1) ?? {}
      assert.equal(seen['x-user-id'], String(session.accountId))
      assert.equal(seen['x-user-role'], '4')
      assert.equal(seen['x-session-id'], session.sessionId)
      assert.equal(seen['access-token'] ?? seen.authorization, undefined)
    }
    const known = api.seen.length
    const bare = await ask({})
    assert.deepEqual([bare.status, bare.headers['www-authenticate']], [401, 'Bearer realm="duktig"'])
    assert.equal((await ask({ 'Access-Token': refreshToken })).status, 401)
    const by = { accountId: SYSTEM, code: 'Users->patchAccount', message: 'a test' } as const
    await changeAccount(authority.deps, by, session.accountId, { status: 2 })
    assert.equal((await ask({ 'Access-Token': accessToken })).status, 403)
    await changeAccount(authority.deps, by, session.accountId, { status: 1 })
    const over = await ask({ 'Access-Token': accessToken })
    assert.equal(over.status, 401)
    assert.equal(over.headers['x-session-end-reason'], 'suspended')
    assert.equal(over.headers['www-authenticate'], 'Bearer realm="duktig", error="invalid_token"')
    assert.equal(api.seen.length, known, 'the API was not asked')
  } finally {
    await proxy.stop()
    await api.stop()
    await authority.close()
  }
})

/** The API behind the proxy; it keeps the headers of the requests that reach it. */
async function startApi() {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers)
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    seen,
    port: (server.address() as { port: number }).port,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function startNginx(authority: Authority, apiPort: number) {
  const port = await freePort()
  const locations = block('With a proxy that asks', 'nginx', {
    'http://127.0.0.1:8088': authority.service.address,
    'http://127.0.0.1:3000': `http://127.0.0.1:${apiPort}`,
  })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.path}/${name};`,
  )
  const file = folder.write(
    'nginx.conf',
    `${process.getuid?.() === 0 ? 'user root;' : ''}
     daemon off; pid ${folder.path}/pid; error_log stderr;
     events {}
     http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${port}; ${locations} } }`,
  )
  const nginx = spawn('nginx', ['-c', file, '-p', folder.path, '-e', 'stderr'], { stdio: 'inherit' })
  await listens(port, nginx)
  return {
    address: `http://127.0.0.1:${port}`,
    async stop() {
      nginx.kill('SIGQUIT')
      if (nginx.exitCode === null) await once(nginx, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** Tries to connect until nginx listens. */
async function listens(port: number, process: ChildProcess): Promise<void> {
  for (;;) {
    assert.equal(process.exitCode, null, 'nginx runs')
    const socket = connect(port, '127.0.0.1')
    const opened = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (opened) return
    await nextTurn()
  }
}
