import type { Server } from 'node:http'
import { LIMITS } from '../settings/limits.ts'

/** Where to listen, and the names of the settings that say so. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly hostVariable: string
  readonly portVariable: string
}

/** The address or the port is not available; the message says which setting to change. */
export class CannotListen extends Error {
  override name = 'CannotListen'
}

/** @throws {CannotListen} */
export function listenOn(server: Server, place: Place): Promise<void> {
  const { host, port } = place
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(new CannotListen(reasonOf(error, place)))
    server.once('error', fail)
    server.listen({ port, host, backlog: LIMITS.backlog }, () => {
      server.off('error', fail)
      resolve()
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
