import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import { send } from './raw-http.ts'

/** The HTTP server of the service at `base`, which Node publishes on a diagnostics channel with every request. */
export async function serverOf(base: string): Promise<Server> {
  const seen: Server[] = []
  const listen = (message: unknown) => seen.push((message as { server: Server }).server)
  subscribe('http.server.request.start', listen)
  await send(base, 'GET', '/system/ping')
  unsubscribe('http.server.request.start', listen)
  const { port } = new URL(base)
  const server = seen.find((one) => String((one.address() as { port: number }).port) === port)
  assert.ok(server)
  return server
}
