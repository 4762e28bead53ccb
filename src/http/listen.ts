import type { Server } from 'node:http'
import { LIMITS } from '../settings/limits.ts'

/** Where to listen, and the names of the settings that say so. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly hostVariable: string
  readonly portVariable: string
}

/** An address or a port is not available; the message says which settings to change. */
export class CannotListen extends Error {
  override name = 'CannotListen'

  constructor(reasons: readonly string[]) {
    const list = reasons.map((reason) => `  - ${reason}`)
    super(reasons.length === 1 ? reasons.join() : ['The service cannot listen:', ...list].join('\n'))
  }
}

/**
 * Lets each server listen on its place.
 * @throws {CannotListen} with all reasons at once; servers that do listen are left to the caller
 */
export async function listenOnAll(servers: readonly (readonly [Server, Place])[]): Promise<void> {
  const tried = await Promise.all(servers.map(([server, place]) => refusalToListen(server, place)))
  const reasons = tried.filter((reason) => reason !== null)
  if (reasons.length > 0) throw new CannotListen(reasons)
}

/** Null if the server listens. */
function refusalToListen(server: Server, place: Place): Promise<string | null> {
  const { host, port } = place
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => resolve(reasonOf(error, place))
    server.once('error', fail)
    server.listen({ port, host, backlog: LIMITS.backlog }, () => {
      server.off('error', fail)
      resolve(null)
    })
  })
}

/** Why listening failed, and which setting to change. */
export function reasonOf(error: NodeJS.ErrnoException, place: Place): string {
  const { host, port, hostVariable, portVariable } = place
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is taken already; set ${portVariable} to a free one`
    case 'EACCES':
      return `port ${port} may not be opened by this user; set ${portVariable} to one above 1023`
    case 'EADDRNOTAVAIL':
      return `${host} is no address of this machine; set ${hostVariable} to one that it has`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} has no address; set ${hostVariable} to an address of this machine`
    default:
      return `${error.message}; look at ${hostVariable} and ${portVariable}`
  }
}
