import type { Server } from 'node:http'
import { LIMITS } from '../settings/limits.ts'

/** A second longer than answers name, for who asks in the last moment. */
export const IDLE_CHECK_MS = LIMITS.keepAliveMs + 1000

/**
 * Hangs up on whoever neither asks nor reads for `IDLE_CHECK_MS`, within twice that time. Node's own time-outs set two timers
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
    }, IDLE_CHECK_MS).unref()
    socket.once('close', () => clearInterval(timer))
  })
}
