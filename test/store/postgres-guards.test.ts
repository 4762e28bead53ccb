/** Counters of guesses in PostgreSQL, which the clean-up of any instance may remove while an attempt uses them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Client } from 'pg'
import { guardKey } from '../../src/store/guard-store.ts'
import { openTestPostgres } from './open-postgres.ts'

test('an attempt is counted also when the clean-up removes its old counters at that moment', async (t) => {
  const { store, sql, url, close } = await openTestPostgres()
  t.after(close)
  const bucketKey = 'cleaned bucket'
  const attempt = {
    accountKey: 'cleaned account',
    sources: ['stranger'],
    bucketKey,
    size: { capacity: 2, leakMs: 1e9 },
  } as const
  const key = guardKey(attempt.accountKey, 'stranger')
  await sql(
    'insert into guards (guard_key, failures, blocked_until_ms, updated_at_ms) values (?, 0, 0, 0)',
    key,
  )
  await sql('insert into buckets (bucket_key, level, at_ms) values (?, 0, 0)', bucketKey)
  const admitted = await removedAsItWaits(url, `guards where guard_key = '${key}'`, () =>
    store.admitSignIn(attempt),
  )
  assert.equal(admitted.admitted, true)
  assert.deepEqual(await sql('select failures from guards where guard_key = ?', key), [[1]])
  await sql('update buckets set level = 0, at_ms = 0 where bucket_key = ?', bucketKey)
  const take = () => store.takeDrop(bucketKey, { capacity: 1, leakMs: 1e9 })
  assert.equal(await removedAsItWaits(url, `buckets where bucket_key = '${bucketKey}'`, take), null)
  assert.notEqual(await take(), null)
})

/** Makes `work` wait for a locked row, and then removes the row. */
async function removedAsItWaits<T>(url: string, row: string, work: () => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(`select 1 from ${row} for update`)
    const working = work()
    const waiting = `select 1 from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`
    while ((await client.query(waiting)).rowCount === 0) await nextTurn()
    await client.query(`delete from ${row}`)
    await client.query('commit')
    return await working
  } finally {
    await client.end()
  }
}
