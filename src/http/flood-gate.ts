import { addressKey } from '../core/address.ts'
import { type Bucket, type BucketSize, fill } from '../core/guessing.ts'
import { LIMITS } from '../settings/limits.ts'

const SIZE: BucketSize = { capacity: LIMITS.floodCapacity, leakMs: LIMITS.floodLeakMs }

/** Bounds what one address may ask of public routes and how often it may be refused, on this instance. */
export interface FloodGate {
  /** Takes one from an address's allowance: null if it had one, else how long until it has, in seconds. */
  take(address: string): number | null
}

/** A good answer to a credential never counts, so signing in and refreshing never meet the gate. */
export function createFloodGate(nowMs: () => number = () => performance.now()): FloodGate {
  const buckets = new Map<string, Bucket>()
  return {
    take(address) {
      const key = addressKey(address)
      const filled = fill(buckets.get(key) ?? null, SIZE, nowMs())
      if ('retryAfterMs' in filled) return Math.ceil(filled.retryAfterMs / 1000)
      // Put at the end: the first in the map is the one unseen longest, and makes room.
      buckets.delete(key)
      if (buckets.size >= LIMITS.floodAddresses) buckets.delete(buckets.keys().next().value as string)
      buckets.set(key, filled.bucket)
      return null
    },
  }
}

/** What stands in for no gate at all. */
export const OPEN_GATE: FloodGate = { take: () => null }
