import type { Server } from 'node:http'
import { LIMITS } from '../settings/limits.ts'

/**
 * Hangs up on whoever neither asks nor reads for `LIMITS.keepAliveMs`, within twice that time. Node's own time-outs set two timers
 * for each request, and each stands in a list between those of connections that were busy long ago: with thousands of them, memory
 * that is in no cache. This costs a request nothing (docs/decisions/0021).
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
    }, LIMITS.keepAliveMs).unref()
    socket.once('close', () => clearInterval(timer))
  })
}
