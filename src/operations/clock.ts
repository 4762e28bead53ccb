import { Ahead } from '../core/ahead.ts'
import { Leaps } from '../core/leaps.ts'
import { machineSleptMs } from '../store/machine-slept.ts'
import type { Clock } from '../store/store.ts'

/** Forward steps larger than this are followed; below it the monotonic clock is the better one. */
const FOLLOWED_STEP_MS = 1000

/**
 * A wall clock that never steps back: it runs with the monotonic clock, follows the machine's clock forward (a
 * machine that slept, a corrected time), and ignores it when it jumps back, so that nothing that has ended is
 * accepted again. After a restart it begins where the service before was, and runs slower until the machine's clock is
 * there. Its sources are arguments, for tests.
 */
export function createClock(
  wallMs: () => number = Date.now,
  monotonicMs: () => number = () => performance.now(),
  sleptMs: () => number = machineSleptMs,
): Clock {
  let offsetMs = wallMs() - monotonicMs()
  const ahead = new Ahead()
  const leaps = new Leaps(sleptMs())
  return {
    nowMs() {
      const passedMs = monotonicMs()
      const nowMs = passedMs + offsetMs + ahead.at(passedMs)
      const machineMs = wallMs()
      if (machineMs - nowMs <= FOLLOWED_STEP_MS) return Math.floor(nowMs)
      offsetMs = machineMs - passedMs
      ahead.set(0, passedMs)
      leaps.add(nowMs, machineMs, sleptMs())
      return Math.floor(machineMs)
    },
    leaps: () => leaps.latest,
    catchUp(seenMs) {
      const passedMs = monotonicMs()
      ahead.catchUp(seenMs - (passedMs + offsetMs), passedMs)
    },
  }
}
