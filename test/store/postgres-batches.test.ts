import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Batches } from '../../src/store/postgres/batches.ts'

/** A batch begins in the turn after the one that made room for it. */
async function turnsPass(): Promise<void> {
  await nextTurn()
  await nextTurn()
}

/** Batches that end when the test says so; jobs are texts whose first letter is their key. */
function setUp(limits: { jobs: number; running: number }) {
  const started: (readonly string[])[] = []
  const ends: PromiseWithResolvers<void>[] = []
  const failed: string[] = []
  const batches = new Batches<string>({
    ...limits,
    keyOf: (job) => job.charAt(0),
    run: (batch) => {
      started.push(batch)
      const end = Promise.withResolvers<void>()
      ends.push(end)
      return end.promise
    },
    fail: (job) => failed.push(job),
  })
  const add = async (...jobs: string[]) => {
    for (const job of jobs) batches.add(job)
    await turnsPass()
  }
  return { started, ends, failed, add }
}

test('jobs that arrive in one turn share a batch, in their order', async () => {
  const { started, add } = setUp({ jobs: 10, running: 2 })
  await add('a1', 'b1', 'a2')
  assert.deepEqual(started, [['a1', 'b1', 'a2']])
})

test('a batch takes only so many jobs, and only so many batches run; the others wait for their turn', async () => {
  const { started, ends, add } = setUp({ jobs: 2, running: 2 })
  await add('a', 'b', 'c', 'd', 'e', 'f', 'g')
  assert.deepEqual(started, [
    ['a', 'b'],
    ['c', 'd'],
  ])
  ends[1]?.resolve()
  await turnsPass()
  assert.deepEqual(started.slice(2), [['e', 'f']])
})

const crowdOf = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => String.fromCharCode(0x100 + from + i))

test('a batch takes half of the crowd, and the next one begins when the other half is there', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { started, ends, add } = setUp({ jobs: 100, running: 3 })
  const sizes = () => started.map(({ length }) => length)
  await add(...crowdOf(20))
  assert.deepEqual(sizes(), [10, 10])
  ends[0]?.resolve()
  await add(...crowdOf(5, 20))
  assert.deepEqual(sizes(), [10, 10], 'five of the first ten have come again, and more are expected')
  await add(...crowdOf(5, 25))
  assert.deepEqual(sizes(), [10, 10, 10])
  ends[1]?.resolve()
  ends[2]?.resolve()
  await turnsPass()
  await add('z')
  assert.deepEqual(sizes(), [10, 10, 10, 1], 'nobody waits while nothing is under way')
})

test('few are not divided', async () => {
  const { started, add } = setUp({ jobs: 100, running: 3 })
  await add('a1', 'a2', 'b', 'c', 'a3', 'd')
  assert.deepEqual(started, [['a1', 'a2', 'b', 'c', 'a3', 'd']])
})

test('who comes while a batch is stuck does not wait for its end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { started, add } = setUp({ jobs: 100, running: 3 })
  await add(...crowdOf(20))
  await add('a')
  t.mock.timers.tick(4)
  await add('b')
  assert.equal(started.length, 2)
  t.mock.timers.tick(1)
  assert.deepEqual(started.slice(2), [['a', 'b']])
})

test('jobs with one key are never in two batches at a time, and keep their order', async () => {
  const { started, ends, add } = setUp({ jobs: 10, running: 3 })
  await add('a1')
  await add('a2', 'b1')
  await add('a3', 'b2', 'c1')
  assert.deepEqual(started, [['a1'], ['b1'], ['c1']])
  ends[0]?.resolve()
  await turnsPass()
  assert.deepEqual(started.slice(3), [['a2', 'a3']])
})

test('a batch that fails settles its jobs, and those behind it go on', async () => {
  const { started, ends, failed, add } = setUp({ jobs: 2, running: 1 })
  await add('a', 'b', 'a2')
  ends[0]?.reject(new Error('broken'))
  await turnsPass()
  assert.deepEqual(failed, ['a', 'b'])
  assert.deepEqual(started, [['a', 'b'], ['a2']])
})
