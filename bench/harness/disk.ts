/** Measures the disk alone: a disk that others use too stalls at times, and every commit with it. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** As much as a commit of a few dozen rotations writes, over the same part of a file again and again, as a WAL does. */
const BLOCK_BYTES = 60 * 1024
const PLACES = 500
export const SYNCS_PER_SECOND = 250
const EVERY_MS = 1000 / SYNCS_PER_SECOND

/**
 * The 99th percentile of the time to write and sync, in milliseconds. As with requests, each write is timed from the
 * moment when it was due, so that a stall shows in all writes that were due while it lasted.
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
