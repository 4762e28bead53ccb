/** The HTTP server with routes that a test supplies, and nothing of the service behind it. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { HttpRoute } from '../../src/http/route.ts'
import { type ServerOptions, createServer } from '../../src/http/server.ts'

/** Starts the server, which runs until the test is over. Returns its address. */
export async function listenBare(t: TestContext, over: Partial<ServerOptions>): Promise<string> {
  const server = await createServer({
    routes: [],
    maintenance: null,
    notFound: { status: 404, contentType: null, text: '' },
    busy: { status: 503, contentType: null, text: '' },
    floodGate: { take: () => null },
    tooMany: () => ({ status: 429, contentType: null, text: '' }),
    fault: () => ({ status: 500, contentType: null, text: 'fault' }),
    observe() {},
    isDraining: () => false,
    trustedProxies: [],
    corsOrigins: [],
    corsHeaders: { allowed: [], exposed: [] },
    ...over,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function bareRoute(path: string, handle: HttpRoute['handle'], isPublic = false): HttpRoute {
  const operation = { operationId: path, summary: '', tags: [], security: [], responses: {} }
  return { method: 'GET', path, handle, isPublic, operation }
}
