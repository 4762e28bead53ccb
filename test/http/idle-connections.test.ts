/** How long an unused connection stays open, and how long one in use does. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { after, before, mock, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { IDLE_CHECK_MS } from '../../src/http/idle-connections.ts'
import { openConnection } from '../support/raw-socket.ts'
import { serverOf } from '../support/server-of.ts'
import { type TestService, UNLIMITED, startTestService } from '../support/service.ts'

/** Requests whose answers are larger than all buffers between server and client. */
const MANY = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(300)

let service: TestService
before(async () => {
  service = await startTestService(UNLIMITED)
})
after(() => service.stop())

const request = 'GET /system/ping HTTP/1.1\r\nHost: x\r\n\r\n'
before(() => mock.timers.enable({ apis: ['setInterval'] }))
after(() => mock.timers.reset())

test('a connection stays while somebody uses it, and is closed when nothing has moved for a second longer than answers name', async () => {
  const connection = await openConnection(service.address)
  for (let i = 0; i < 3; i++) {
    connection.write(request)
    await connection.until(new RegExp(`^(?:[^]*keep-alive: timeout=65\r\n[^]*pong){${i + 1}}$`))
    mock.timers.tick(IDLE_CHECK_MS)
  }
  mock.timers.tick(IDLE_CHECK_MS - 1)
  assert.equal(connection.socket.closed, false)
  mock.timers.tick(1)
  assert.equal((await connection.untilClosed()).match(/pong/g)?.length, 3)
})

test('a connection that is closed leaves no timer behind', async (t) => {
  const server = await serverOf(service.address)
  const made = t.mock.method(globalThis, 'setInterval')
  const cleared = t.mock.method(globalThis, 'clearInterval')
  const connected = once(server, 'connection')
  const connection = await openConnection(service.address)
  const [ours] = (await connected) as [Socket]
  connection.socket.end()
  await once(ours, 'close')
  const [timer, ...others] = made.mock.calls.map(({ result }) => result)
  assert.deepEqual(others, [])
  assert.ok(cleared.mock.calls.some(({ arguments: [one] }) => one === timer))
})

test("Node's own time-outs, which would close it sooner, are off", async () => {
  const { timeout, keepAliveTimeout } = await serverOf(service.address)
  assert.deepEqual({ timeout, keepAliveTimeout }, { timeout: 0, keepAliveTimeout: 0 })
})

test('a connection stays while its other side reads, though it asks for nothing more', async () => {
  const server = await serverOf(service.address)
  const connected = once(server, 'connection')
  const socket = connect(Number(new URL(service.address).port), '127.0.0.1')
  const [ours] = (await connected) as [Socket]
  socket.write(MANY)
  socket.on('data', () => socket.pause())
  for (let i = 0; i < 10; i++) {
    const moved = ours.bytesWritten
    while (ours.bytesWritten === moved) {
      socket.resume()
      await wait(1)
    }
    mock.timers.tick(IDLE_CHECK_MS)
    assert.equal(ours.destroyed, false)
  }
  socket.destroy()
})

test('a connection is closed although its other side does not read what it has asked for', async () => {
  const socket = connect(Number(new URL(service.address).port), '127.0.0.1')
  const closed = once(socket, 'close')
  socket.on('error', () => {})
  socket.write(MANY)
  const server = await serverOf(service.address)
  const connections = promisify(server.getConnections.bind(server))
  while ((await connections()) > 0) {
    mock.timers.tick(IDLE_CHECK_MS)
    await wait(20)
  }
  socket.resume()
  await closed
})
