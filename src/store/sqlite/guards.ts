import {
  type Bucket,
  type BucketSize,
  type Guard,
  SOURCES,
  type Source,
  admitAttempt,
  fill,
} from '../../core/guessing.ts'
import { LIMITS } from '../../settings/limits.ts'
import { type GuardStore, guardKey } from '../guard-store.ts'
import type { Connection } from './connection.ts'

/** The verbs against guessing; guarantees in `guard-store.ts`. */
export function guardStore(connection: Connection): GuardStore {
  return {
    admitSignIn: ({ accountKey, sources, bucketKey, size }) =>
      connection.write(() => {
        const nowMs = connection.clock.nowMs()
        const filled = fill(bucketAt(connection, bucketKey), size, nowMs)
        if ('retryAfterMs' in filled) return { admitted: false, retryAfterMs: filled.retryAfterMs }
        const guards = sources.map((source) => [source, guardAt(connection, accountKey, source)] as const)
        const admission = admitAttempt(guards, nowMs)
        if (!admission.admitted) return admission
        putBucket(connection, bucketKey, filled.bucket)
        putGuard(connection, guardKey(accountKey, admission.source), admission.guard, nowMs)
        return admission
      }),

    takeBackAttempt: ({ accountKey, source, failures, bucketKey }) =>
      connection.write(() => {
        takeDropBack(connection, bucketKey)
        connection.run(
          `update guards set failures = max(0, failures - 1),
             blocked_until_ms = case failures when ? then 0 else blocked_until_ms end where guard_key = ?`,
          failures,
          guardKey(accountKey, source),
        )
      }),

    signInSucceeded: ({ accountId, accountKey, bucketKey, addressKey }) =>
      connection.write(() => {
        clearGuards(connection, accountKey)
        takeDropBack(connection, bucketKey)
        connection.run(
          `insert into known_addresses (account_id, address_key, last_at_ms) values (?, ?, ?)
           on conflict do update set last_at_ms = excluded.last_at_ms`,
          accountId,
          addressKey,
          connection.clock.nowMs(),
        )
        connection.run(
          `delete from known_addresses where account_id = ?1 and address_key not in
           (select address_key from known_addresses where account_id = ?1 order by last_at_ms desc limit ?2)`,
          accountId,
          LIMITS.knownAddressesPerAccount,
        )
      }),

    clearGuards: (accountKey) => connection.write(() => clearGuards(connection, accountKey)),

    async isKnownAddress(accountId, addressKey) {
      const select = 'select 1 from known_addresses where account_id = ? and address_key = ?'
      return connection.read(() => connection.row(select, accountId, addressKey) !== undefined)
    },

    takeDrop: (bucketKey: string, size: BucketSize) =>
      connection.write(() => {
        const filled = fill(bucketAt(connection, bucketKey), size, connection.clock.nowMs())
        if ('retryAfterMs' in filled) return filled.retryAfterMs
        putBucket(connection, bucketKey, filled.bucket)
        return null
      }),

    removeOldGuards: (guardsBeforeMs, bucketsBeforeMs, limit) =>
      connection.write(() => {
        const guards = connection.run(
          `delete from guards where guard_key in
           (select guard_key from guards where updated_at_ms < ? order by updated_at_ms limit ?)`,
          guardsBeforeMs,
          limit,
        )
        const buckets = connection.run(
          `delete from buckets where bucket_key in
           (select bucket_key from buckets where at_ms < ? order by at_ms limit ?)`,
          bucketsBeforeMs,
          limit,
        )
        return Math.max(guards, buckets)
      }),
  }
}

function clearGuards(connection: Connection, accountKey: string): void {
  for (const source of SOURCES)
    connection.run('delete from guards where guard_key = ?', guardKey(accountKey, source))
}

function guardAt(connection: Connection, accountKey: string, source: Source): Guard | null {
  const key = guardKey(accountKey, source)
  const row = connection.row('select failures, blocked_until_ms from guards where guard_key = ?', key)
  return row === undefined ? null : { failures: row[0] as number, blockedUntilMs: row[1] as number }
}

function putGuard(connection: Connection, key: string, guard: Guard, nowMs: number): void {
  connection.run(
    'insert or replace into guards (guard_key, failures, blocked_until_ms, updated_at_ms) values (?, ?, ?, ?)',
    key,
    guard.failures,
    guard.blockedUntilMs,
    nowMs,
  )
}

function bucketAt(connection: Connection, key: string): Bucket | null {
  const row = connection.row('select level, at_ms from buckets where bucket_key = ?', key)
  return row === undefined ? null : { level: row[0] as number, atMs: row[1] as number }
}

function putBucket(connection: Connection, key: string, bucket: Bucket): void {
  connection.run(
    'insert or replace into buckets (bucket_key, level, at_ms) values (?, ?, ?)',
    key,
    bucket.level,
    bucket.atMs,
  )
}

function takeDropBack(connection: Connection, bucketKey: string): void {
  connection.run('update buckets set level = max(0, level - 1) where bucket_key = ?', bucketKey)
}
