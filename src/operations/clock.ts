import { Leaps } from '../core/leaps.ts'
import { machineSleptMs } from '../store/machine-slept.ts'
import type { Clock } from '../store/store.ts'

/** Forward steps larger than this are followed; below it the monotonic clock is the better one. */
const FOLLOWED_STEP_MS = 1000

/**
 * A wall clock that never steps back: it runs with the monotonic clock, follows the machine's clock forward (a
 * machine that slept, a corrected time), and ignores it when it jumps back, so that nothing that has ended is
 * accepted again. Its sources are arguments, for tests.
 */
export function createClock(
  wallMs: () => number = Date.now,
  monotonicMs: () => number = () => performance.now(),
  sleptMs: () => number = machineSleptMs,
): Clock {
  let offsetMs = wallMs() - monotonicMs()
  const leaps = new Leaps(sleptMs())
  return {
    nowMs() {
      const nowMs = monotonicMs() + offsetMs
      const aheadMs = wallMs() - nowMs
      if (aheadMs > FOLLOWED_STEP_MS) {
        offsetMs += aheadMs
        leaps.add(nowMs, nowMs + aheadMs, sleptMs())
        return Math.floor(nowMs + aheadMs)
      }
      return Math.floor(nowMs)
    },
    leaps: () => leaps.latest,
  }
}
