import { type Bucket, type Guard, SOURCES, type Source, admitAttempt, fill } from '../../core/guessing.ts'
import { LIMITS } from '../../settings/limits.ts'
import { type GuardStore, guardKey } from '../guard-store.ts'
import type { Connection, Sql } from './connection.ts'

/** The verbs against guessing; guarantees in `guard-store.ts`. Rows are locked bucket first, then guard by guard. */
export function guardStore(connection: Connection): GuardStore {
  return {
    admitSignIn: ({ accountKey, sources, bucketKey, size }) =>
      connection.transaction(async (sql) => {
        const nowMs = connection.clock.nowMs()
        const filled = fill(await lockedBucket(sql, bucketKey), size, nowMs)
        if ('retryAfterMs' in filled) return { admitted: false, retryAfterMs: filled.retryAfterMs }
        const guards: (readonly [Source, Guard])[] = []
        for (const source of sources)
          guards.push([source, await lockedGuard(sql, guardKey(accountKey, source))])
        const admission = admitAttempt(guards, nowMs)
        if (!admission.admitted) return admission
        await putBucket(sql, bucketKey, filled.bucket)
        const { failures, blockedUntilMs } = admission.guard
        await sql.rows(
          'update guards set failures = $1, blocked_until_ms = $2, updated_at_ms = $3 where guard_key = $4',
          failures,
          blockedUntilMs,
          nowMs,
          guardKey(accountKey, admission.source),
        )
        return admission
      }),

    takeBackAttempt: ({ accountKey, source, failures, bucketKey }) =>
      connection.transaction(async (sql) => {
        await takeDropBack(sql, bucketKey)
        await sql.rows(
          `update guards set failures = greatest(0, failures - 1),
             blocked_until_ms = case failures when $1 then 0 else blocked_until_ms end where guard_key = $2`,
          failures,
          guardKey(accountKey, source),
        )
      }),

    signInSucceeded: ({ accountId, accountKey, bucketKey, addressKey }) =>
      connection.transaction(async (sql) => {
        await takeDropBack(sql, bucketKey)
        await clearGuards(sql, accountKey)
        await sql.rows(
          `insert into known_addresses as k (account_id, address_key, last_at_ms) values ($1, $2, $3)
           on conflict (account_id, address_key) do update set last_at_ms = greatest(k.last_at_ms, excluded.last_at_ms)`,
          accountId,
          addressKey,
          connection.clock.nowMs(),
        )
        await sql.rows(
          `delete from known_addresses where account_id = $1 and address_key in
           (select address_key from known_addresses where account_id = $1 order by last_at_ms desc offset $2)`,
          accountId,
          LIMITS.knownAddressesPerAccount,
        )
      }),

    clearGuards: (accountKey) => connection.transaction((sql) => clearGuards(sql, accountKey)),

    async isKnownAddress(accountId, addressKey) {
      const rows = await connection.rows(
        'select 1 from known_addresses where account_id = $1 and address_key = $2',
        accountId,
        addressKey,
      )
      return rows.length > 0
    },

    takeDrop: (bucketKey, size) =>
      connection.transaction(async (sql) => {
        const filled = fill(await lockedBucket(sql, bucketKey), size, connection.clock.nowMs())
        if ('retryAfterMs' in filled) return filled.retryAfterMs
        await putBucket(sql, bucketKey, filled.bucket)
        return null
      }),

    removeOldGuards: (guardsBeforeMs, bucketsBeforeMs, limit) =>
      connection.transaction(async (sql) => {
        const guards = await sql.count(
          `delete from guards where guard_key in
           (select guard_key from guards where updated_at_ms < $1 order by updated_at_ms limit $2
            for update skip locked)`,
          guardsBeforeMs,
          limit,
        )
        const buckets = await sql.count(
          `delete from buckets where bucket_key in
           (select bucket_key from buckets where at_ms < $1 order by at_ms limit $2 for update skip locked)`,
          bucketsBeforeMs,
          limit,
        )
        return Math.max(guards, buckets)
      }),
  }
}

/**
 * Locks the bucket until the transaction ends, creating it empty if there is none, and returns it. One statement does
 * both: between two, the clean-up could remove an old bucket, and the later update would change no row.
 */
async function lockedBucket(sql: Sql, key: string): Promise<Bucket> {
  const [row] = await sql.rows(
    `insert into buckets as b (bucket_key, level, at_ms) values ($1, 0, 0)
     on conflict (bucket_key) do update set level = b.level returning level, at_ms`,
    key,
  )
  return { level: row?.[0] as number, atMs: row?.[1] as number }
}

async function putBucket(sql: Sql, key: string, bucket: Bucket): Promise<void> {
  const { level, atMs } = bucket
  await sql.rows('update buckets set level = $1, at_ms = $2 where bucket_key = $3', level, atMs, key)
}

/** Like `lockedBucket`, for a guard. */
async function lockedGuard(sql: Sql, key: string): Promise<Guard> {
  const [row] = await sql.rows(
    `insert into guards as g (guard_key, failures, blocked_until_ms, updated_at_ms) values ($1, 0, 0, 0)
     on conflict (guard_key) do update set failures = g.failures returning failures, blocked_until_ms`,
    key,
  )
  return { failures: row?.[0] as number, blockedUntilMs: row?.[1] as number }
}

async function clearGuards(sql: Sql, accountKey: string): Promise<void> {
  for (const source of SOURCES) {
    await sql.rows('delete from guards where guard_key = $1', guardKey(accountKey, source))
  }
}

async function takeDropBack(sql: Sql, bucketKey: string): Promise<void> {
  await sql.rows('update buckets set level = greatest(0, level - 1) where bucket_key = $1', bucketKey)
}
