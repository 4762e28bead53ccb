import { uptime } from 'node:os'

/**
 * How long the machine has slept so far, in milliseconds from an arbitrary origin: the machine's uptime goes on while
 * it sleeps, the monotonic clock does not.
 */
export function machineSleptMs(): number {
  return uptime() * 1000 - performance.now()
}
