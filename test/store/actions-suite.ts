/** Recorded actions and the counters that are written with them: every sentence of `src/store/action-store.ts`. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { after, before, beforeEach, describe, test } from 'node:test'
import { GUEST, type RecordedAction, SYSTEM } from '../../src/core/actions.ts'
import { HOUR_MS } from '../../src/settings/limits.ts'
import type { Store } from '../../src/store/store.ts'
import { NOON, aGroup, anAction, lines } from './action-builders.ts'
import { type All, type CountsSince, counting, logLines, removing } from './action-count-cases.ts'
import type { TestEngine, TestStore } from './engine.ts'

/** Registers the cases for one engine. */
export function actionCases(engine: TestEngine): void {
  let opened: TestStore
  let store: Store
  before(async () => {
    opened = await engine.open()
    store = opened.store
  })
  after(() => opened.close())
  beforeEach(async () => {
    for (const table of ['user_actions', 'action_counts', 'log_counts', 'log_levels', 'action_writers'])
      await opened.sql(`delete from ${table}`)
  })
  const all = async () => (await store.latestActions(100_000)).toReversed()
  /** The counts since each of some times, as text: kind, code, count. */
  const countsSince = async (...sinceMs: number[]) => {
    const counts = await store.actionCounts(sinceMs)
    return sinceMs.map((_, interval) =>
      counts
        .filter((count) => count.interval === interval)
        .map(({ kind, code, count }) => `${kind} ${code} ${count}`)
        .sort(),
    )
  }

  describe('recording', () => recording(() => ({ opened, store }), all, countsSince))
  describe('listing', () => listing(() => store, all))
  describe('counting', () => counting(() => store, countsSince))
  describe('log lines', () => logLines(() => store))
  describe('removing', () => removing(() => store, all, countsSince))
}

function recording(get: () => { opened: TestStore; store: Store }, all: All, countsSince: CountsSince): void {
  test('what is recorded comes back whole', async () => {
    const { store } = get()
    const actions = [
      anAction(),
      anAction({ accountId: GUEST, code: 'Auth->Refused', message: 'Ուղարկում 🙂 \'"\\', sessionId: null }),
      anAction({ accountId: SYSTEM, code: 'Keys->rotate', address: null, sessionId: null }),
    ]
    assert.equal(await store.recordActions(aGroup(actions)), true)
    const found = await all()
    assert.deepEqual(
      found.map(({ id: _id, ...action }: RecordedAction & { id?: number }) => action),
      actions,
    )
  })

  test('a group that is sent again is not written again, nor counted', async () => {
    const { store } = get()
    const group = aGroup([anAction()], { logs: [lines('warn', NOON, 1, 'Slow')] })
    assert.equal(await store.recordActions(group), true)
    assert.equal(await store.recordActions(group), false)
    assert.equal((await all()).length, 1)
    assert.deepEqual(await countsSince(NOON), [['user User->getAccount 1']])
    assert.equal((await store.logLevels())[0]?.total, 1)
    const next = { ...group, number: 2 }
    assert.equal(await store.recordActions(next), true)
    assert.equal((await all()).length, 2)
  })

  test('the same group sent many times at once is written once', async () => {
    const { opened, store } = get()
    const other = await opened.another()
    const group = aGroup([anAction(), anAction({ code: 'Auth->Authorize' })])
    const results = await Promise.all(
      [store, other, store, other, store].map((each) => each.recordActions(group)),
    )
    assert.equal(results.filter(Boolean).length, 1)
    assert.equal((await all()).length, 2)
  })

  test('a group that cannot be written leaves nothing behind', async () => {
    const { store } = get()
    const broken = anAction({ message: null as unknown as string })
    const group = aGroup([anAction(), broken])
    await assert.rejects(store.recordActions(group))
    assert.deepEqual(await all(), [])
    assert.deepEqual(await countsSince(NOON), [[]])
    assert.equal(await store.recordActions({ ...group, actions: [anAction()] }), true)
  })

  test('two instances that write at the same time lose nothing and never block each other', async () => {
    const { opened, store } = get()
    const other = await opened.another()
    const codes = ['Auth->Authorize', 'User->getAccount', 'Auth->SessionEnded', 'Keys->rotate']
    const groups = Array.from({ length: 60 }, (_, i) =>
      aGroup(
        Array.from({ length: 20 }, (__, j) =>
          anAction({
            // Each group updates the counters in another order.
            code: codes[(i + j) % codes.length] as string,
            accountId: (i + j) % 3 === 0 ? GUEST : 7,
            atMs: NOON + (((i * 7 + j) % 5) - 2) * HOUR_MS,
          }),
        ),
        { logs: [lines(i % 2 === 0 ? 'warn' : 'error', NOON, 1, 'Line')] },
      ),
    )
    await Promise.all(groups.map((group, i) => (i % 2 === 0 ? store : other).recordActions(group)))
    assert.equal((await all()).length, 1200)
    const counts = await store.actionCounts([NOON - 24 * HOUR_MS])
    assert.equal(
      counts.reduce((sum, { count }) => sum + count, 0),
      1200,
    )
    assert.deepEqual(
      (await store.logLevels()).map(({ level, total }) => `${level} ${total}`),
      ['error 30', 'warn 30'],
    )
  })

  test('who follows sees every action, in the order of the ids, while several write', async () => {
    const { opened, store } = get()
    const other = await opened.another()
    const groups = Array.from({ length: 40 }, (_, i) =>
      aGroup(Array.from({ length: 10 }, (__, j) => anAction({ message: `${i}.${j}` }))),
    )
    let isWriting = true
    const writing = Promise.all(
      groups.map((group, i) => (i % 2 === 0 ? store : other).recordActions(group)),
    ).finally(() => {
      isWriting = false
    })
    const seen: number[] = []
    for (let last = 0, done = false; !done; ) {
      // Checked before reading, so that the last read sees everything that was written.
      done = !isWriting
      const actions = await store.actionsAfter(last, 7)
      seen.push(...actions.map(({ id }) => id))
      last = seen.at(-1) ?? 0
      if (actions.length > 0) done = false
      await turn()
    }
    await writing
    assert.equal(seen.length, 400)
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
  })
}

function listing(get: () => Store, all: All): void {
  const messages = (actions: readonly RecordedAction[]) => actions.map(({ message }) => message)

  test('lists the actions of one account between two times, newest first', async () => {
    const store = get()
    const times = [3, 1, 2, 2, 4]
    const actions = times.map((t, i) => anAction({ atMs: NOON + t, message: `at ${t}, no ${i}` }))
    await store.recordActions(
      aGroup([...actions, anAction({ accountId: 8 }), anAction({ accountId: GUEST })]),
    )
    assert.deepEqual(messages(await store.listActions(7, 0, 10, 0, NOON * 2)), [
      'at 4, no 4',
      'at 3, no 0',
      'at 2, no 3',
      'at 2, no 2',
      'at 1, no 1',
    ])
    assert.deepEqual(messages(await store.listActions(7, 0, 10, NOON + 2, NOON + 3)), [
      'at 3, no 0',
      'at 2, no 3',
      'at 2, no 2',
    ])
    assert.equal((await store.listActions(GUEST, 0, 10, 0, NOON * 2)).length, 1)
    assert.deepEqual(await store.listActions(9, 0, 10, 0, NOON * 2), [])
    assert.deepEqual(await store.listActions(7, 0, 10, NOON + 3, NOON + 2), [])
    assert.equal((await all()).length, 7)
  })

  test('pages neither skip nor repeat', async () => {
    const store = get()
    const actions = Array.from({ length: 25 }, (_, i) =>
      anAction({ atMs: NOON + Math.floor(i / 4), message: String(i) }),
    )
    await store.recordActions(aGroup(actions))
    const pages: string[] = []
    for (let offset = 0; offset < 30; offset += 4)
      pages.push(...messages(await store.listActions(7, offset, 4, 0, NOON * 2)))
    assert.deepEqual(
      pages,
      Array.from({ length: 25 }, (_, i) => String(24 - i)),
    )
    assert.deepEqual(await store.listActions(7, 1_000_000, 4, 0, NOON * 2), [])
  })

  test('tens of thousands are listed as a few are, those too that were recorded late', async () => {
    const store = get()
    const actions = Array.from({ length: 60 }, (_, group) =>
      Array.from({ length: 500 }, (__, i) => {
        // Some groups are about times long past, like actions that waited in a file.
        const lateMs = group % 7 === 3 && group < 30 ? 1 + Math.floor((group * 500) / 3) : 0
        const atMs = NOON + Math.floor((group * 500 + i) / 3) - lateMs
        return anAction({ accountId: 7 + (i % 50 === 0 ? 1 : 0), atMs, message: `${group}.${i}` })
      }),
    )
    for (const group of actions) await store.recordActions(aGroup(group))
    for (const accountId of [7, 8]) {
      // Sorting is stable: of actions at the same time, the one recorded last comes first.
      const newest = actions
        .flat()
        .filter((action) => action.accountId === accountId)
        .toReversed()
        .sort((a, b) => b.atMs - a.atMs)
      const between = [
        [0, NOON * 2],
        [NOON, NOON + 5000],
        [NOON - 10, NOON + 10],
      ] as const
      for (const [fromMs, toMs] of between) {
        const wanted = newest.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
        for (const offset of [0, 1, 100, 9_990, 10_010, 17_000, wanted.length - 5, wanted.length]) {
          const found = await store.listActions(accountId, Math.max(0, offset), 20, fromMs, toMs)
          const expected = wanted.slice(Math.max(0, offset), Math.max(0, offset) + 20)
          assert.deepEqual(messages(found), messages(expected), `${accountId} ${fromMs} ${offset}`)
        }
      }
    }
  })

  test('the latest are those recorded last, whenever they happened', async () => {
    const store = get()
    await store.recordActions(aGroup([anAction({ message: 'new' })]))
    await store.recordActions(aGroup([anAction({ message: 'late', atMs: NOON - HOUR_MS })]))
    assert.deepEqual(messages(await store.latestActions(1)), ['late'])
    assert.deepEqual(messages(await store.latestActions(10)), ['late', 'new'])
  })
}
