import type { Leap } from '../core/refresh.ts'
import type { Clock } from '../store/store.ts'

/** Forward steps larger than this are followed; below it the monotonic clock is the better one. */
const FOLLOWED_STEP_MS = 1000
/** What is older than that many steps has been handed out long ago. */
const LEAPS_KEPT = 10

/**
 * A wall clock that never steps back: it runs with the monotonic clock, follows the machine's clock forward (a
 * machine that slept, a corrected time), and ignores it when it jumps back, so that nothing that has ended is
 * accepted again. Both sources are arguments, for tests.
 */
export function createClock(
  wallMs: () => number = Date.now,
  monotonicMs: () => number = () => performance.now(),
): Clock {
  let offsetMs = wallMs() - monotonicMs()
  let leaps: readonly Leap[] = []
  return {
    nowMs() {
      const nowMs = monotonicMs() + offsetMs
      const aheadMs = wallMs() - nowMs
      if (aheadMs > FOLLOWED_STEP_MS) {
        offsetMs += aheadMs
        leaps = [...leaps, { fromMs: nowMs, byMs: aheadMs }].slice(-LEAPS_KEPT)
        return Math.floor(nowMs + aheadMs)
      }
      return Math.floor(nowMs)
    },
    leaps: () => leaps,
  }
}
