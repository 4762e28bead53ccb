import { uptime } from 'node:os'

/**
 * For how long the machine has slept so far, in milliseconds from some beginning: its time since the start goes on meanwhile, the
 * monotonic clock does not.
 */
export function machineSleptMs(): number {
  return uptime() * 1000 - performance.now()
}
