import { countersSince } from '../core/log-stats.ts'
import { HOUR_MS, LIMITS } from '../settings/limits.ts'
import type { Deps } from '../usecases/deps.ts'
import { sampleHashes } from '../usecases/sample-hashes.ts'
import type { ActionRecorder } from './action-recorder.ts'
import type { Log } from './log.ts'

const CLEAN_EVERY_MS = 60_000
const SAMPLE_EVERY_MS = HOUR_MS
/** The pause between two full steps of the clean-up: requests come first. */
const STEP_PAUSE_MS = 50

/** Starts the periodic jobs, such as loading new signing keys and removing expired sessions. Returns their stop. */
export function startUpkeep(deps: Deps, log: Log, recorder: ActionRecorder): () => void {
  const stops = [
    repeat(LIMITS.keyReloadMs, log, async () => {
      await deps.keys.keepUp()
      const nowMs = deps.store.clock.nowMs()
      const retired = deps.keys.all().some((key) => key.retireAtMs !== null && key.retireAtMs <= nowMs)
      if (retired) await deps.store.removeRetiredKeys()
      return LIMITS.keyReloadMs
    }),
    repeat(SAMPLE_EVERY_MS, log, async () => {
      deps.decoys.learn(await sampleHashes(deps.store, LIMITS.hashesSampled))
      return SAMPLE_EVERY_MS
    }),
    repeat(CLEAN_EVERY_MS, log, async () => {
      const removed = await removeExpired(deps)
      return removed < LIMITS.expiredRowsPerStep ? CLEAN_EVERY_MS : STEP_PAUSE_MS
    }),
    repeat(CLEAN_EVERY_MS, log, async () => {
      await recorder.takeOver()
      const removed = await removeOldActions(deps)
      return removed < LIMITS.expiredRowsPerStep ? CLEAN_EVERY_MS : STEP_PAUSE_MS
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/**
 * One step of removing expired sessions, old counters against guessing and old records of exchanged tokens.
 * @returns how many rows of the most frequent kind it removed
 */
export async function removeExpired({ store }: Pick<Deps, 'store'>): Promise<number> {
  const { guardMemoryMs, bucketMemoryMs, legacyTokenMemoryMs, expiredRowsPerStep } = LIMITS
  const nowMs = store.clock.nowMs()
  return Math.max(
    await store.removeExpiredSessions(expiredRowsPerStep),
    await store.removeOldGuards(nowMs - guardMemoryMs, nowMs - bucketMemoryMs, expiredRowsPerStep),
    await store.removeOldLegacySessions(nowMs - legacyTokenMemoryMs, expiredRowsPerStep),
  )
}

/**
 * One step of removing actions older than the retention; the last step also removes old counts.
 * @returns how many actions it removed
 */
export async function removeOldActions({
  store,
  actionRetentionMs,
}: Pick<Deps, 'store' | 'actionRetentionMs'>): Promise<number> {
  const nowMs = store.clock.nowMs()
  const actionsBeforeMs = nowMs - actionRetentionMs
  const removed = await store.removeOldActions(actionsBeforeMs, LIMITS.expiredRowsPerStep)
  if (removed < LIMITS.expiredRowsPerStep) {
    const writersBeforeMs = nowMs - LIMITS.actionWriterMemoryMs
    await store.removeOldCounts({ actionsBeforeMs, logsBeforeMs: countersSince(nowMs), writersBeforeMs })
  }
  return removed
}

/**
 * Runs `step` repeatedly, never twice at a time. `step` returns how long to wait; after a failure that is `firstMs`.
 */
function repeat(firstMs: number, log: Log, step: () => Promise<number>): () => void {
  let stopped = false
  let timer = setTimeout(run, firstMs)
  timer.unref()
  function run(): void {
    void step()
      .catch((error: unknown) => {
        log.warn(
          { event: 'upkeep', reason: error instanceof Error ? error.message : String(error) },
          'Upkeep failed',
        )
        return firstMs
      })
      .then((waitMs) => {
        if (stopped) return
        timer = setTimeout(run, waitMs)
        timer.unref()
      })
  }
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
