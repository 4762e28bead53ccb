/** Clients that take their answer slowly, or hang up before the service has read what they sent. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type BodyResult, readJsonObject } from '../../src/http/body.ts'
import { bareRoute, listenBare } from '../support/bare-server.ts'
import { serverOf } from '../support/server-of.ts'

/** More than the system keeps for a connection whose client reads nothing. */
const LARGE = 'x'.repeat(32 * 1024 * 1024)

test('an answer that the client has not taken yet does not make its connection an idle one', async (t) => {
  const routes = [bareRoute('/large', () => ({ status: 200, contentType: 'text/plain', text: LARGE }))]
  const address = await listenBare(t, { routes })
  const server = await serverOf(address)
  const sent = request(`${address}/large`).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  // What a stop does, again and again.
  server.close()
  server.closeIdleConnections()
  let length = 0
  for await (const chunk of response) {
    length += (chunk as Buffer).length
    server.closeIdleConnections()
  }
  assert.equal(length, LARGE.length)
})

test('a body whose client has hung up before it is read is known to be cut off', async (t) => {
  const read = Promise.withResolvers<BodyResult>()
  const handle = async ({ raw }: { readonly raw: IncomingMessage }) => {
    sent.destroy()
    await once(raw, 'close').catch(() => {})
    while (!raw.destroyed) await turn()
    read.resolve(await readJsonObject(raw))
    return { status: 200, contentType: null, text: '' }
  }
  const routes = [{ ...bareRoute('/', handle), method: 'POST' as const }]
  const address = await listenBare(t, { routes })
  const sent = request(address, { method: 'POST', headers: { 'Content-Length': 9 } })
  sent.on('error', () => {})
  sent.write('{')
  assert.deepEqual(await read.promise, { problem: 'aborted' })
})
