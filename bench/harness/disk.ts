/** What the disk does by itself: machines whose disk others use stall, and every commit with them. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** As much as a commit of some dozen rotations writes, over the same part of a file again and again, as a write-ahead log does. */
const BLOCK_BYTES = 60 * 1024
const PLACES = 500
export const SYNCS_PER_SECOND = 250
const EVERY_MS = 1000 / SYNCS_PER_SECOND

/**
 * The 99th percentile of writing and syncing, milliseconds, counted like that of requests: from the time at which each was due,
 * so that a stall shows in all that were due meanwhile.
 */
export async function syncP99Ms(folder: string, seconds: number): Promise<number> {
  const file = await open(join(folder, 'disk-probe'), 'w+')
  try {
    const block = Buffer.alloc(BLOCK_BYTES, 1)
    for (let place = 0; place < PLACES; place++) await file.write(block, 0, BLOCK_BYTES, place * BLOCK_BYTES)
    await file.sync()
    const latencies: number[] = []
    const startedMs = performance.now()
    for (let i = 0; i * EVERY_MS < seconds * 1000; i++) {
      const dueMs = startedMs + i * EVERY_MS
      const earlyMs = dueMs - performance.now()
      if (earlyMs > 0) await sleep(earlyMs)
      await file.write(block, 0, BLOCK_BYTES, (i % PLACES) * BLOCK_BYTES)
      await file.sync()
      latencies.push(performance.now() - dueMs)
    }
    latencies.sort((a, b) => a - b)
    return latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
  } finally {
    await file.close()
  }
}
