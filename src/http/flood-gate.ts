import { addressKey } from '../core/address.ts'
import { type Bucket, type BucketSize, fill } from '../core/guessing.ts'
import { LIMITS } from '../settings/limits.ts'

const SIZE: BucketSize = { capacity: LIMITS.floodCapacity, leakMs: LIMITS.floodLeakMs }

/** Bounds what one address may ask of public routes and how often it may be refused, on this instance. */
export interface FloodGate {
  /** Counts one request of an address. Null if there was room for it; else the seconds until there is. */
  take(address: string): number | null
}

/** Outside public routes only refused requests count, so sign-ins and refreshes that succeed never meet the gate. */
export function createFloodGate(nowMs: () => number = () => performance.now()): FloodGate {
  const buckets = new Map<string, Bucket>()
  return {
    take(address) {
      const key = addressKey(address)
      const filled = fill(buckets.get(key) ?? null, SIZE, nowMs())
      if ('retryAfterMs' in filled) return Math.ceil(filled.retryAfterMs / 1000)
      // Deleted and set again, so that the map is in order of use: the first address is the oldest and makes room.
      buckets.delete(key)
      if (buckets.size >= LIMITS.floodAddresses) buckets.delete(buckets.keys().next().value as string)
      buckets.set(key, filled.bucket)
      return null
    },
  }
}

/** The gate when rate limits are off: it lets everything pass. */
export const OPEN_GATE: FloodGate = { take: () => null }
