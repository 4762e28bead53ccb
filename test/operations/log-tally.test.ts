/** How log lines are counted as they are logged, and their counters in the store. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'
import type { ActionRecorder } from '../../src/operations/action-recorder.ts'
import { LogTallies, countedLog } from '../../src/operations/log-tally.ts'
import { recordingForEachTest } from '../support/recording.ts'
import { silentLog } from '../support/service.ts'

const recording = recordingForEachTest()

describe('log lines', () => {
  const at = { nowMs: () => Date.UTC(2026, 2, 31, 21, 17, 5) }

  function counted(level: Parameters<typeof countedLog>[1], zone = 'UTC') {
    const tallies = new LogTallies(at, createDateFormat(zone), () => own.logged())
    const own: ActionRecorder = recording().recorder({ tallies })
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
