/** The clock that never steps back, over sources that the test sets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../../src/operations/clock.ts'
import { machineSleptMs } from '../../src/store/machine-slept.ts'

const START = Date.UTC(2026, 0, 1)

function byHand() {
  const time = { wallMs: START, monotonicMs: 5000 }
  const clock = createClock(
    () => time.wallMs,
    () => time.monotonicMs,
  )
  /** Lets the same time pass on both sources. */
  const pass = (ms: number) => {
    time.wallMs += ms
    time.monotonicMs += ms
  }
  return { time, clock, pass }
}

test('it starts with the machine clock and runs with the monotonic one', () => {
  const { clock, pass } = byHand()
  assert.equal(clock.nowMs(), START)
  pass(1234)
  assert.equal(clock.nowMs(), START + 1234)
})

test('it gives whole milliseconds', () => {
  const { clock, time } = byHand()
  time.monotonicMs += 0.9
  assert.equal(clock.nowMs(), START)
})

test('it ignores a machine clock that jumps back', () => {
  const { clock, time, pass } = byHand()
  time.wallMs -= 3_600_000
  assert.equal(clock.nowMs(), START)
  pass(10)
  assert.equal(clock.nowMs(), START + 10)
})

test('it follows a machine clock that jumps forward, such as after a sleep', () => {
  const { clock, time, pass } = byHand()
  time.wallMs += 8 * 3_600_000
  assert.equal(clock.nowMs(), START + 8 * 3_600_000)
  pass(10)
  assert.equal(clock.nowMs(), START + 8 * 3_600_000 + 10)
})

test('it does not come back from a step forward that was a mistake', () => {
  const { clock, time, pass } = byHand()
  time.wallMs += 60_000
  assert.equal(clock.nowMs(), START + 60_000)
  time.wallMs -= 60_000
  pass(5)
  assert.equal(clock.nowMs(), START + 60_005)
})

test('it does not follow small steps, which are how a clock is corrected', () => {
  const { clock, time } = byHand()
  time.wallMs += 1000
  assert.equal(clock.nowMs(), START)
  time.wallMs += 1
  assert.equal(clock.nowMs(), START + 1001)
})

test('a machine clock that runs fast is followed in steps, never back', () => {
  const { clock, time } = byHand()
  let last = clock.nowMs()
  for (let i = 0; i < 10_000; i++) {
    time.monotonicMs += 10
    time.wallMs += 11
    const nowMs = clock.nowMs()
    assert.ok(nowMs >= last)
    assert.ok(time.wallMs - nowMs <= 1001)
    last = nowMs
  }
})

test('whatever the machine clock does, time does not step back', () => {
  const { clock, time } = byHand()
  let last = clock.nowMs()
  for (let i = 0; i < 1000; i++) {
    time.monotonicMs += i % 7
    time.wallMs += [3, -5_000_000, 40_000, 0, -1, 7_000_000][i % 6] ?? 0
    const nowMs = clock.nowMs()
    assert.ok(nowMs >= last, `step ${i}`)
    last = nowMs
  }
})

test('without sources of its own it tells the time of this machine', () => {
  assert.ok(Math.abs(createClock().nowMs() - Date.now()) < 2000)
})

test('what the machine has slept has passed, and a step forward has not', () => {
  const time = { wallMs: START, sleptMs: 70_000 }
  const clock = createClock(
    () => time.wallMs,
    () => 5000,
    () => time.sleptMs,
  )
  time.sleptMs += 60_000
  time.wallMs += 60_000
  assert.equal(clock.nowMs(), START + 60_000)
  assert.deepEqual(clock.leaps?.(), [])
  time.sleptMs += 60_000
  time.wallMs += 100_000
  assert.equal(clock.nowMs(), START + 160_000)
  assert.deepEqual(clock.leaps?.(), [{ toMs: START + 160_000, byMs: 40_000 }])
})

test('the time that this machine has slept is known, and stands still while it is awake', async () => {
  const before = machineSleptMs()
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(Math.abs(machineSleptMs() - before) < 1000)
})
