/** What a readiness probe is told about a store that cannot write, and about one that is too busy. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthRoutes } from '../../src/http/health.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { StoreBusy } from '../../src/store/store-busy.ts'

test('a store that cannot be written is not ready for having too much to write as well', async (t) => {
  let nowMs = 0
  t.mock.method(performance, 'now', () => nowMs)
  const errors = [new StoreUnavailable('the database is locked'), new StoreBusy()]
  const routes = healthRoutes(
    () => Promise.reject(errors.shift()),
    () => false,
  )
  const ready = routes.find(({ path }) => path === '/health/ready')
  for (const _ of [1, 2]) {
    assert.equal((await ready?.handle({} as never))?.status, 503)
    nowMs += 1001
  }
  assert.deepEqual(errors, [])
})

for (const [what, error, status] of [
  ['has enough to do', new StoreBusy(), 200],
  ['cannot be written', new StoreUnavailable('the disk is full'), 503],
] as const) {
  test(`a store that ${what}: ${status}`, async () => {
    const routes = healthRoutes(
      () => Promise.reject(error),
      () => false,
    )
    const ready = routes.find(({ path }) => path === '/health/ready')
    assert.equal((await ready?.handle({} as never))?.status, status)
  })
}
