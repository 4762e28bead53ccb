import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GUEST, type RecordedAction, SYSTEM } from '../../src/core/actions.ts'
import { HOUR_MS } from '../../src/settings/limits.ts'
import type { LogTally } from '../../src/store/action-store.ts'
import type { Store } from '../../src/store/store.ts'
import { NOON, aGroup, anAction, lines } from './action-builders.ts'

/** The counts since some times, each as sorted texts: kind, code, count. */
export type CountsSince = (...sinceMs: number[]) => Promise<string[][]>
/** All actions, in the order in which they were recorded. */
export type All = () => Promise<readonly RecordedAction[]>

export function counting(get: () => Store, countsSince: CountsSince): void {
  test('counts by kind and code from the start of an hour on', async () => {
    const store = get()
    await store.recordActions(
      aGroup([
        anAction({ atMs: NOON - 1 }),
        anAction({ atMs: NOON }),
        anAction({ atMs: NOON + HOUR_MS }),
        anAction({ atMs: NOON + HOUR_MS, accountId: GUEST, code: 'Auth->Refused' }),
        anAction({ atMs: NOON + HOUR_MS, accountId: SYSTEM, code: 'Keys->rotate' }),
      ]),
    )
    const later = ['guest Auth->Refused 1', 'system Keys->rotate 1']
    assert.deepEqual(
      await countsSince(NOON - 1, NOON, NOON + HOUR_MS - 1, NOON + HOUR_MS, NOON + 2 * HOUR_MS),
      [
        [...later, 'user User->getAccount 3'],
        [...later, 'user User->getAccount 2'],
        [...later, 'user User->getAccount 2'],
        [...later, 'user User->getAccount 1'],
        [],
      ],
    )
  })

  test('agrees with the actions themselves, wherever an interval starts', async () => {
    const store = get()
    const times = Array.from({ length: 400 }, (_, i) => NOON - ((i * 7_919_773) % (90 * 24 * HOUR_MS)))
    await store.recordActions(aGroup(times.map((atMs) => anAction({ atMs }))))
    const sinceMs = Array.from({ length: 60 }, (_, i) => NOON - i * 37 * HOUR_MS + i * 1000)
    const counts = await store.actionCounts(sinceMs)
    for (const [interval, since] of sinceMs.entries()) {
      const hourMs = Math.floor(since / HOUR_MS) * HOUR_MS
      const expected = times.filter((atMs) => atMs >= hourMs).length
      assert.equal(counts.find((count) => count.interval === interval)?.count ?? 0, expected)
    }
  })

  test('nothing recorded, nothing counted', async () => {
    assert.deepEqual(await get().actionCounts([0, NOON]), [])
    assert.deepEqual(await get().actionCounts([]), [])
  })
}

export function logLines(get: () => Store): void {
  test('the first and the last line of a level are kept, in whatever order groups come', async () => {
    const store = get()
    const group = (atMs: number, message: string) =>
      store.recordActions(aGroup([], { logs: [lines('error', atMs, 2, message)] }))
    await group(NOON, 'middle')
    await group(NOON + 60_000, 'last')
    await group(NOON - 60_000, 'first')
    await group(NOON, 'between')
    assert.deepEqual(await store.logLevels(), [
      {
        level: 'error',
        total: 8,
        first: { message: 'first', atMs: NOON - 60_000 },
        last: { message: 'last', atMs: NOON + 60_000 },
      },
    ])
    const since = { minute: NOON, hour: 0, day: 0, month: 0 }
    const counts = await store.logCounts(since)
    assert.deepEqual(
      counts.toSorted((a, b) => a.startMs - b.startMs),
      [
        { span: 'minute', startMs: NOON, level: 'error', count: 4 },
        { span: 'minute', startMs: NOON + 60_000, level: 'error', count: 2 },
      ],
    )
  })

  test('each span is looked up from its own time on', async () => {
    const store = get()
    const spans = ['minute', 'hour', 'day', 'month'] as const
    const counts = spans.flatMap((span) => [0, 1].map((i) => ({ span, startMs: NOON + i, count: i + 1 })))
    const line = { message: 'Line', atMs: NOON }
    const tally: LogTally = { level: 'info', total: 1, first: line, last: line, counts }
    await store.recordActions(aGroup([], { logs: [tally] }))
    const found = await store.logCounts({ minute: NOON, hour: NOON + 1, day: NOON + 2, month: 0 })
    assert.deepEqual(found.map(({ span, count }) => `${span} ${count}`).sort(), [
      'hour 2',
      'minute 1',
      'minute 2',
      'month 1',
      'month 2',
    ])
  })
}

export function removing(get: () => Store, all: All, countsSince: CountsSince): void {
  test('old actions go in small steps, newer ones stay', async () => {
    const store = get()
    const actions = Array.from({ length: 10 }, (_, i) => anAction({ atMs: NOON + i }))
    await store.recordActions(aGroup(actions))
    assert.equal(await store.removeOldActions(NOON + 7, 3), 3)
    assert.equal(await store.removeOldActions(NOON + 7, 3), 3)
    assert.equal(await store.removeOldActions(NOON + 7, 3), 1)
    assert.equal(await store.removeOldActions(NOON + 7, 3), 0)
    assert.deepEqual(
      (await all()).map(({ atMs }) => atMs - NOON),
      [7, 8, 9],
    )
  })

  test('ids are not given again when all actions are gone, so that followers miss nothing', async () => {
    const store = get()
    await store.recordActions(aGroup([anAction(), anAction()]))
    const [newest] = await store.latestActions(1)
    await store.removeOldActions(NOON + 1, 10)
    await store.recordActions(aGroup([anAction()]))
    assert.equal((await store.actionsAfter(newest?.id ?? 0, 10)).length, 1)
  })

  test('counters go once no interval within the retention can need them', async () => {
    const store = get()
    const day = 24 * HOUR_MS
    const times = [NOON - 3 * day, NOON - day - HOUR_MS, NOON - day, NOON]
    await store.recordActions(aGroup(times.map((atMs) => anAction({ atMs }))))
    const since = { minute: NOON, hour: 0, day: 0, month: 0 }
    await store.removeOldCounts({ actionsBeforeMs: NOON - day + 1, logsBeforeMs: since, writersBeforeMs: 0 })
    assert.deepEqual(await countsSince(NOON - day + 1, NOON - 5 * day), [
      ['user User->getAccount 2'],
      ['user User->getAccount 1'],
    ])
  })

  test('counters of log lines go by span, and silent writers are forgotten', async () => {
    const store = get()
    const group = aGroup([], { logs: [lines('info', NOON, 1, 'a'), lines('warn', NOON + 60_000, 1, 'b')] })
    await store.recordActions(group)
    const logsBeforeMs = { minute: NOON + 1, hour: 0, day: 0, month: 0 }
    await store.removeOldCounts({ actionsBeforeMs: 0, logsBeforeMs, writersBeforeMs: 0 })
    const since = { minute: 0, hour: 0, day: 0, month: 0 }
    assert.deepEqual(
      (await store.logCounts(since)).map(({ level }) => level),
      ['warn'],
    )
    assert.equal(await store.recordActions(group), false)
    const writersBeforeMs = store.clock.nowMs() + 1
    await store.removeOldCounts({ actionsBeforeMs: 0, logsBeforeMs, writersBeforeMs })
    assert.equal(await store.recordActions(group), true)
  })
}
