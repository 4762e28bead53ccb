/** The bounds of the queue in front of slow work, with jobs that end when the test says so. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Outcome, Overloaded, WorkQueue, type WorkQueueLimits } from '../../src/passwords/work-queue.ts'

/** A job that runs until `finish`. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const state = { started: false }
  const run = () => {
    state.started = true
    return promise
  }
  return { run, state, finish: resolve, fail: reject }
}

type Job = () => Promise<unknown>
type Bounds = Pick<WorkQueueLimits<Job>, 'concurrency' | 'waiting' | 'waitMs'>

/** A queue that runs its jobs, one at a time unless the limits say otherwise. */
function queueOf(limits: Bounds & Partial<WorkQueueLimits<Job>>) {
  const all = { together: { least: 1, most: 1 }, joins: () => true, ofOne: 2, ...limits }
  return new WorkQueue<Job, unknown>(all, (jobs) => Promise.all(jobs.map(outcomeOf)))
}

async function outcomeOf(run: Job): Promise<Outcome<unknown>> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error }
  }
}

/** Resolves when everything that is ready to continue has continued. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

function frozenTimers(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return t.mock.timers
}

test('at most so many jobs run at a time, and the others in the order they came', async () => {
  const queue = queueOf({ concurrency: 2, waiting: 10, waitMs: 60_000 })
  const jobs = [job(), job(), job(), job()]
  const results = jobs.map(({ run }) => queue.run(run))
  const started = () => jobs.map(({ state }) => state.started)
  await settled()
  assert.deepEqual(started(), [true, true, false, false])
  assert.deepEqual([queue.running, queue.waiting], [2, 2])
  jobs[1]?.finish('second')
  await settled()
  assert.deepEqual(started(), [true, true, true, false])
  assert.deepEqual([queue.running, queue.waiting], [2, 1])
  for (const { finish } of jobs) finish('done')
  assert.deepEqual(await Promise.all(results), ['done', 'second', 'done', 'done'])
  assert.deepEqual([queue.running, queue.waiting], [0, 0])
})

test('never more run at a time, whatever the load', async () => {
  const queue = queueOf({ concurrency: 3, waiting: 1000, waitMs: 60_000 })
  let running = 0
  let most = 0
  const work = async (turns: number) => {
    most = Math.max(most, ++running)
    for (let i = 0; i < turns; i++) await settled()
    running--
  }
  await Promise.all(Array.from({ length: 200 }, (_, i) => queue.run(() => work(i % 4))))
  assert.equal(most, 3)
  assert.deepEqual([queue.running, queue.waiting], [0, 0])
})

test('who comes when the queue is full is sent away at once, and his job never runs', async () => {
  const queue = queueOf({ concurrency: 1, waiting: 1, waitMs: 60_000 })
  const [running, waiting, refused] = [job(), job(), job()]
  const first = queue.run(running.run)
  const second = queue.run(waiting.run)
  await assert.rejects(queue.run(refused.run), Overloaded)
  running.finish('first')
  waiting.finish('second')
  assert.deepEqual(await Promise.all([first, second]), ['first', 'second'])
  assert.equal(refused.state.started, false)
})

test('a place that is kept is nobody else’s, until its job has come or it is given back', async () => {
  const queue = queueOf({ concurrency: 1, waiting: 2, waitMs: 60_000 })
  const [running, waiting, kept, next] = [job(), job(), job(), job()]
  const first = queue.run(running.run)
  const place = queue.reserve()
  const given = queue.reserve()
  assert.equal(queue.hasRoom, false)
  assert.throws(() => queue.reserve(), Overloaded)
  await assert.rejects(queue.run(waiting.run), Overloaded)
  given[Symbol.dispose]()
  given[Symbol.dispose]()
  const second = queue.run(waiting.run)
  await assert.rejects(queue.run(next.run), Overloaded)
  const third = place.run(kept.run)
  place[Symbol.dispose]()
  assert.equal(queue.hasRoom, false, 'its job is in its place')
  for (const { finish } of [running, waiting, kept]) finish('done')
  assert.deepEqual(await Promise.all([first, second, third]), ['done', 'done', 'done'])
  assert.deepEqual([queue.hasRoom, queue.running, queue.waiting], [true, 0, 0])
})

test('who waits too long is sent away, and his job never runs', async (t) => {
  const timers = frozenTimers(t)
  const queue = queueOf({ concurrency: 1, waiting: 5, waitMs: 20 })
  const [running, late] = [job(), job()]
  const first = queue.run(running.run)
  const second = queue.run(late.run)
  timers.tick(19)
  await settled()
  assert.equal(queue.waiting, 1)
  timers.tick(1)
  await assert.rejects(second, Overloaded)
  assert.equal(queue.waiting, 0)
  running.finish('first')
  await first
  await settled()
  assert.equal(late.state.started, false)
  assert.equal(queue.running, 0)
})

test('who has had his turn in time is not cut off, however long his job takes', async (t) => {
  const timers = frozenTimers(t)
  const queue = queueOf({ concurrency: 1, waiting: 5, waitMs: 20 })
  const [running, next] = [job(), job()]
  const first = queue.run(running.run)
  const second = queue.run(next.run)
  timers.tick(10)
  running.finish('first')
  await first
  await settled()
  timers.tick(1000)
  next.finish('second')
  assert.equal(await second, 'second')
})

test('a place that somebody gave up waiting for goes to the next', async (t) => {
  const timers = frozenTimers(t)
  const queue = queueOf({ concurrency: 1, waiting: 5, waitMs: 20 })
  const [running, late, patient] = [job(), job(), job()]
  const first = queue.run(running.run)
  const second = queue.run(late.run)
  timers.tick(15)
  const third = queue.run(patient.run)
  timers.tick(5)
  await assert.rejects(second, Overloaded)
  running.finish('first')
  patient.finish('third')
  assert.deepEqual(await Promise.all([first, third]), ['first', 'third'])
})

test('a job that fails passes its failure on and its place too', async () => {
  const queue = queueOf({ concurrency: 1, waiting: 5, waitMs: 60_000 })
  const [bad, good] = [job(), job()]
  const first = queue.run(bad.run)
  const second = queue.run(good.run)
  bad.fail(new RangeError('no'))
  good.finish('good')
  await assert.rejects(first, RangeError)
  assert.equal(await second, 'good')
  await assert.rejects(
    queue.run(() => {
      throw new TypeError('before it could promise anything')
    }),
    TypeError,
  )
  assert.deepEqual([queue.running, queue.waiting], [0, 0])
})

/** The number of jobs that have started: at first, and after each job in turn has finished. */
async function startsOf(queue: WorkQueue<Job, unknown>, count: number): Promise<readonly number[]> {
  const jobs = Array.from({ length: count }, job)
  const results = jobs.map(({ run }) => queue.run(run))
  const started = () => jobs.filter(({ state }) => state.started).length
  const seen = [started()]
  for (const { finish } of jobs) {
    finish('done')
    await settled()
    seen.push(started())
  }
  assert.deepEqual(await Promise.all(results), Array(count).fill('done'))
  return seen
}

test('jobs go together once enough of them wait, and one at a time until then', async () => {
  const queue = queueOf({ concurrency: 1, together: { least: 3, most: 3 }, waiting: 10, waitMs: 60_000 })
  const seen = await startsOf(queue, 8)
  // Batches of one, three, three and one: each begins when the whole batch before it is done.
  assert.deepEqual(seen, [1, 4, 4, 4, 7, 7, 7, 8, 8])
})

test('as many jobs go together as wait for each, between the least and the most', async () => {
  const queue = queueOf({ concurrency: 2, together: { least: 2, most: 3 }, waiting: 20, waitMs: 60_000 })
  const seen = await startsOf(queue, 15)
  // Of 13 waiting jobs a batch takes three, of 10 three, of 7 three, of 4 two, and the last 2 go singly.
  assert.deepEqual(seen, [2, 5, 8, 8, 8, 11, 11, 11, 13, 13, 13, 14, 14, 15, 15, 15])
})

test('jobs go together only while enough wait to keep all busy', async () => {
  const queue = queueOf({ concurrency: 2, together: { least: 3, most: 3 }, waiting: 10, waitMs: 60_000 })
  const jobs = Array.from({ length: 9 }, job)
  const results = jobs.map(({ run }) => queue.run(run))
  const started = () => jobs.map(({ state }) => Number(state.started)).join('')
  const seen = [started()]
  for (const { finish } of jobs.slice(0, 2)) {
    finish('done')
    await settled()
    seen.push(started())
  }
  for (const { finish } of jobs.slice(2)) finish('done')
  // Seven waiting jobs are enough for two batches; of the last four, a batch of three would leave the other only one.
  assert.deepEqual(seen, ['110000000', '111110000', '111111000'])
  assert.deepEqual(await Promise.all(results), Array(9).fill('done'))
})

test('jobs go one at a time where the queue holds too few to keep all busy with several', async () => {
  const queue = queueOf({ concurrency: 3, together: { least: 2, most: 2 }, waiting: 5, waitMs: 60_000 })
  const jobs = Array.from({ length: 8 }, job)
  const results = jobs.map(({ run }) => queue.run(run))
  const [first] = jobs
  first?.finish('done')
  await settled()
  assert.equal(jobs.map(({ state }) => Number(state.started)).join(''), '11110000')
  for (const { finish } of jobs) finish('done')
  await Promise.all(results)
})

test('a job that may take long goes alone, and those behind it go together in its place', async () => {
  const jobs = Array.from({ length: 6 }, job)
  const slow = jobs[3] as ReturnType<typeof job>
  const joins = (run: Job) => run !== slow.run
  const queue = queueOf({
    concurrency: 1,
    together: { least: 3, most: 3 },
    joins,
    waiting: 10,
    waitMs: 60_000,
  })
  const results = jobs.map(({ run }) => queue.run(run))
  const started = () => jobs.map(({ state }) => Number(state.started)).join('')
  const seen = [started()]
  for (const some of [[0], [1, 2, 4], [3], [5]]) {
    for (const i of some) jobs[i]?.finish('done')
    await settled()
    seen.push(started())
  }
  assert.deepEqual(seen, ['100000', '111010', '111110', '111111', '111111'])
  await Promise.all(results)
})

test('of jobs that go together each has its own outcome, and work that fails takes its own along only', async () => {
  const queue = queueOf({ concurrency: 1, together: { least: 2, most: 2 }, waiting: 10, waitMs: 60_000 })
  const jobs = [job(), job(), job()]
  const results = jobs.map(({ run }) => queue.run(run))
  jobs[0]?.finish('first')
  jobs[1]?.fail(new RangeError('no'))
  jobs[2]?.finish('third')
  await assert.rejects(results[1] as Promise<unknown>, RangeError)
  assert.deepEqual([await results[0], await results[2]], ['first', 'third'])

  const dying = new WorkQueue<string, string>(
    {
      concurrency: 1,
      together: { least: 2, most: 2 },
      ofOne: 2,
      joins: () => true,
      waiting: 10,
      waitMs: 60_000,
    },
    (names) => {
      if (names.includes('bad')) throw new Error('died of it')
      return settled().then(() => names.map((value) => ({ value })))
    },
  )
  const outcomes = await Promise.allSettled(['one', 'bad', 'beside', 'next'].map((name) => dying.run(name)))
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message)),
    ['one', 'died of it', 'died of it', 'next'],
  )
  assert.deepEqual([dying.running, dying.waiting], [0, 0])
})

test('what one account brings about is refused before it takes the room of others, and is let in again once that is done', async () => {
  const queue = queueOf({ concurrency: 1, waiting: 10, waitMs: 60_000 })
  const [first, second, other, later] = [job(), job(), job(), job()]
  const results = [first, second].map(({ run }) => queue.ofOne(7).run(run))
  const oneMore = () => queue.ofOne(7).run(job().run)
  await assert.rejects(oneMore(), Overloaded)
  results.push(queue.ofOne(8).run(other.run))
  first.fail(new Error('a failure'))
  await assert.rejects(results.shift() as Promise<unknown>, /a failure/)
  results.push(queue.ofOne(7).run(later.run))
  await assert.rejects(oneMore(), Overloaded)
  for (const { finish } of [second, other, later]) finish('done')
  assert.deepEqual(await Promise.all(results), ['done', 'done', 'done'])
})
