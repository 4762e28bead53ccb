/** How log lines are counted as they are logged, and their counters in the store. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'
import type { ActionRecorder } from '../../src/operations/action-recorder.ts'
import { LogTallies, countedLog } from '../../src/operations/log-tally.ts'
import { SIGN_IN, type Way, recordingForEachTest } from '../support/recording.ts'
import { silentLog } from '../support/service.ts'

const recording = recordingForEachTest()

describe('log lines', () => {
  const at = { nowMs: () => Date.UTC(2026, 2, 31, 21, 17, 5) }

  function counted(level: Parameters<typeof countedLog>[1], zone = 'UTC', write?: Way['write']) {
    const tallies = new LogTallies(at, createDateFormat(zone), () => own.logged())
    const own: ActionRecorder = recording().recorder({ tallies, ...(write === undefined ? {} : { write }) })
    return { own, log: countedLog(silentLog, level, tallies) }
  }

  test('are counted by level with their first and last message, and written with the next group', async () => {
    const it = recording()
    const { own, log } = counted('info')
    log.info({ event: 'a' }, 'First')
    log.info({ event: 'b' }, 'Second')
    log.warn('Slow')
    log.error({ event: 'fault' }, 'Broken')
    log.debug('Not counted')
    await own.stop()
    const levels = await it.store.logLevels()
    assert.deepEqual(
      levels.map(({ level, total, first, last }) => [level, total, first.message, last.message]),
      [
        ['error', 1, 'Broken', 'Broken'],
        ['info', 2, 'First', 'Second'],
        ['warn', 1, 'Slow', 'Slow'],
      ],
    )
  })

  describe('that come while a group is written', () => {
    /** A log, with a first group under way that waits for `free`. */
    async function whileWriting() {
      const it = recording()
      const [began, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const wroteNext = Promise.withResolvers<void>()
      let groups = 0
      const { own, log } = counted('info', 'UTC', async (group) => {
        groups += 1
        if (groups === 1) {
          began.resolve()
          await free.promise
        }
        const isNew = await it.store.recordActions(group)
        if (groups === 2) wroteNext.resolve()
        return isNew
      })
      own.action(SIGN_IN)
      const first = own.flush()
      await began.promise
      log.info('Meanwhile')
      const total = async () => (await it.store.logLevels())[0]?.total
      return { own, first, free, wroteNext, total }
    }

    test('can be read after a flush', async () => {
      const { own, free, total } = await whileWriting()
      const flushed = own.flush()
      free.resolve()
      await flushed
      assert.equal(await total(), 1)
    })

    test('are written without one, and without further lines', { timeout: 20_000 }, async (t) => {
      // The recorder keeps no process alive; here nothing else does.
      const alive = setInterval(() => {}, 1000)
      t.after(() => clearInterval(alive))
      const { first, free, wroteNext, total } = await whileWriting()
      free.resolve()
      await Promise.all([first, wroteNext.promise])
      assert.equal(await total(), 1)
    })
  })

  test('below the level that is logged are not counted', async () => {
    const it = recording()
    const { own, log } = counted('error')
    log.info('No')
    log.warn('No')
    log.error('Yes')
    await own.stop()
    assert.deepEqual(
      (await it.store.logLevels()).map(({ level }) => level),
      ['error'],
    )
  })

  test('belong to the hours, days and months of the configured time zone', async () => {
    const it = recording()
    // In Kolkata it is already 1 April, and hours begin at half past the hours of UTC.
    const { own, log } = counted('info', 'Asia/Kolkata')
    log.info('Line')
    await own.stop()
    const counts = await it.store.logCounts({ minute: 0, hour: 0, day: 0, month: 0 })
    const starts = Object.fromEntries(
      counts.map(({ span, startMs }) => [span, new Date(startMs).toISOString()]),
    )
    assert.deepEqual(starts, {
      minute: '2026-03-31T21:17:00.000Z',
      hour: '2026-03-31T20:30:00.000Z',
      day: '2026-03-31T18:30:00.000Z',
      month: '2026-03-31T18:30:00.000Z',
    })
  })
})
