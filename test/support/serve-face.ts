/** The Duktig face on a port of its own, over dependencies that a test chose. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createDateFormat } from '../../src/core/dates.ts'
import { NOT_FOUND, UNAVAILABLE } from '../../src/http/duktig/denials.ts'
import { faultAnswer } from '../../src/http/duktig/faults.ts'
import { duktigRoutes } from '../../src/http/duktig/routes.ts'
import { OPEN_GATE } from '../../src/http/flood-gate.ts'
import { createServer } from '../../src/http/server.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { silentLog } from './service.ts'

export interface ServedFace {
  readonly base: string
  close(): Promise<void>
}

export async function serveFace(
  deps: Deps,
  mode: 'production' | 'development',
  timeZone = 'UTC',
): Promise<ServedFace> {
  const headers = { authKey: 'x-auth-key', accessToken: 'access-token', refreshToken: 'refresh-token' }
  const server = await createServer({
    routes: duktigRoutes({ deps, dates: createDateFormat(timeZone), headers, renamed: {} }),
    maintenance: null,
    notFound: NOT_FOUND,
    busy: UNAVAILABLE,
    floodGate: OPEN_GATE,
    tooMany: () => UNAVAILABLE,
    fault: (error, route) => faultAnswer(error, route, mode, silentLog),
    observe: () => {},
    isDraining: () => false,
    trustedProxies: [],
    corsOrigins: [],
    corsHeaders: { allowed: [], exposed: [] },
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    base: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
