/** Recorded actions and counters are removed after the retention, in steps that stay small however many there are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { removeExpired, removeOldActions } from '../../src/operations/upkeep.ts'
import { DAY_MS, LIMITS } from '../../src/settings/limits.ts'
import { NOON, recordingForEachTest } from '../support/recording.ts'

const recording = recordingForEachTest()
const SINCE = { minute: 0, hour: 0, day: 0, month: 0 }

test('what is older than the retention goes, step by step, and the rest stays', async () => {
  const { store } = recording()
  const usual = { accountId: 7, code: 'User->getAccount', message: '', address: null, sessionId: null }
  const old = Array.from({ length: 450 }, (_, i) => ({ ...usual, atMs: NOON - 8 * DAY_MS + i }))
  const young = Array.from({ length: 50 }, (_, i) => ({ ...usual, atMs: NOON - 7 * DAY_MS + i }))
  await store.recordActions({ writer: 'w', number: 1, actions: [...old, ...young], logs: [] })
  const removed: number[] = []
  do removed.push(await removeOldActions({ store, actionRetentionMs: 7 * DAY_MS }))
  while (removed.at(-1) === LIMITS.expiredRowsPerStep)
  assert.deepEqual(removed, [200, 200, 50])
  assert.equal((await store.latestActions(1000)).length, 50)
  const [count] = await store.actionCounts([NOON - 30 * DAY_MS])
  assert.equal(count?.count ?? 0, 0, 'older hours, days and months are gone')
  assert.equal((await store.actionCounts([NOON - 7 * DAY_MS]))[0]?.count, 50)
})

test('counters of addresses go when nobody needs them any more, many as soon as few', async () => {
  const { store } = recording()
  const { expiredRowsPerStep, bucketMemoryMs } = LIMITS
  const addresses = Array.from({ length: 2 * expiredRowsPerStep + 1 }, (_, i) => `address-${i}`)
  await Promise.all(addresses.map((address) => store.takeDrop(address, { capacity: 1, leakMs: DAY_MS })))
  const clock = { ...store.clock, nowMs: () => NOON + bucketMemoryMs + 1 }
  const steps: number[] = []
  do steps.push(await removeExpired({ store: { ...store, clock } }))
  while (steps.at(-1) === expiredRowsPerStep)
  assert.deepEqual(steps, [expiredRowsPerStep, expiredRowsPerStep, 1])
})

test('counters of log lines go when no chart shows them any more', async () => {
  const { store } = recording()
  const line = { message: 'Line', atMs: NOON }
  const ages = { minute: 2 / 24, hour: 1.5, day: 32, month: 390 }
  const counts = Object.entries(ages).flatMap(([span, days]) =>
    [days, days * 1.1].map((age) => {
      return { span: span as keyof typeof ages, startMs: NOON - age * DAY_MS, count: 1 }
    }),
  )
  const tooOld = Object.keys(ages).map((span) => ({
    span: span as keyof typeof ages,
    startMs: NOON - 500 * DAY_MS,
    count: 1,
  }))
  const tally = { level: 'info', total: 1, first: line, last: line, counts: [...counts, ...tooOld] } as const
  await store.recordActions({ writer: 'w', number: 1, actions: [], logs: [tally] })
  await removeOldActions({ store, actionRetentionMs: 7 * DAY_MS })
  const left = (await store.logCounts(SINCE)).map(({ span }) => span).sort()
  assert.deepEqual(left, ['day', 'hour', 'hour', 'minute', 'minute', 'month'])
  assert.equal((await store.logLevels()).length, 1)
})
