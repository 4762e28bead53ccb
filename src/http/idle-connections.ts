import type { Server } from 'node:http'
import { LIMITS } from '../settings/limits.ts'

/** One second longer than the time that `Keep-Alive` names, for a client that sends a request at the last moment. */
export const IDLE_CHECK_MS = LIMITS.keepAliveMs + 1000

/**
 * Closes each connection on which no byte has moved for `IDLE_CHECK_MS`, at the latest after twice that time. An
 * answer counts as written at once, so a client that takes longer than this to read it is cut off. Node's own time-outs
 * set two timers for each request, linked in lists with the timers of connections that were busy long ago; with
 * thousands of connections, that memory is in no processor cache. One timer per connection costs a request nothing
 * (docs/decisions/0021).
 */
export function closeIdleConnections(server: Server): void {
  server.timeout = 0
  server.keepAliveTimeout = 0
  server.on('connection', (socket) => {
    let seen = 0
    const timer = setInterval(() => {
      const moved = socket.bytesRead + socket.bytesWritten
      if (moved === seen) socket.destroy()
      seen = moved
    }, IDLE_CHECK_MS).unref()
    socket.once('close', () => clearInterval(timer))
  })
}
