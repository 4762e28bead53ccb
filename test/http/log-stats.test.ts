/** `GET /stats/app_logs` over a made-up log, at times that the test chooses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'
import { LogTallies } from '../../src/operations/log-tally.ts'
import type { LogTally } from '../../src/store/action-store.ts'
import { faceAt } from '../support/face-at.ts'

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`)

interface Chart {
  readonly type: string
  readonly title: string
  readonly xAxis: readonly string[]
  readonly yAxis: { readonly min: number; readonly max: number }
  readonly series: Record<string, { readonly title: string; readonly data: Record<string, number> }>
}

interface Stats {
  readonly subject: string
  readonly lastUpdate: string
  readonly appendix: Record<string, unknown>
  readonly data: Record<string, Chart>
}

type Line = readonly [level: 'info' | 'warn' | 'error' | 'fatal', time: string, message: string]

/** The counters that a process makes of these lines. */
function tallied(lines: readonly Line[], zone: string): readonly LogTally[] {
  const clock = { time: 0, nowMs: () => clock.time }
  const tallies = new LogTallies(clock, createDateFormat(zone), () => {})
  for (const [level, time, message] of lines) {
    clock.time = at(time)
    tallies.count(level, message)
  }
  return tallies.take()
}

async function statsOf(now: string, lines: readonly Line[], zone = 'UTC'): Promise<Stats> {
  const face = await faceAt(now, { DUKTIG_TIME_ZONE: zone })
  try {
    // Two groups, as from two processes, so that their counts have to be added up.
    await face.record([], tallied(lines.slice(0, 1), zone))
    await face.record([], tallied(lines.slice(1), zone))
    const { status, text } = await face.get('/stats/app_logs')
    assert.equal(status, 200)
    return JSON.parse(text) as Stats
  } finally {
    await face.close()
  }
}

/** The periods in which lines of a level were logged, with their counts. */
function logged(chart: Chart | undefined, level: string): Record<string, number> {
  const data = Object.entries(chart?.series[level]?.data ?? {})
  return Object.fromEntries(data.filter(([, count]) => count > 0))
}

const LEVELS = ['notice', 'warning', 'exception', 'error', 'NA', 'unknown', 'info']

test('it is exactly what the contract says: keys in their order, all periods and levels', async () => {
  const lines: Line[] = [
    ['warn', '2026-03-31 07:30:00', 'First warning'],
    ['warn', '2026-03-31 08:14:10', 'Last warning'],
    ['error', '2026-03-30 09:00:00', 'A fault'],
    ['info', '2025-04-01 00:00:00', 'Long ago'],
  ]
  const stats = await statsOf('2026-03-31T08:14:42Z', lines)
  assert.deepEqual(Object.keys(stats), ['subject', 'lastUpdate', 'appendix', 'data'])
  assert.equal(stats.subject, 'Application Logs')
  assert.equal(stats.lastUpdate, '2026-03-31 08:14:42')
  assert.equal(
    JSON.stringify(stats.appendix),
    JSON.stringify({
      logFilesCount: 0,
      totalLogLines: 4,
      firstLog: { warning: 'First warning', exception: 'A fault', error: 'A fault', info: 'Long ago' },
      lastLog: { warning: 'Last warning', exception: 'A fault', error: 'A fault', info: 'Long ago' },
      firstLogDate: {
        warning: '2026-03-31 07:30:00',
        exception: '2026-03-30 09:00:00',
        error: '2026-03-30 09:00:00',
        info: '2025-04-01 00:00:00',
      },
      lastLogDate: {
        warning: '2026-03-31 08:14:10',
        exception: '2026-03-30 09:00:00',
        error: '2026-03-30 09:00:00',
        info: '2025-04-01 00:00:00',
      },
    }),
  )
  const shapes = { last_12_months: 12, last_30_days: 31, last_24_hours: 24, last_1_hour: 61 }
  assert.deepEqual(Object.keys(stats.data), Object.keys(shapes))
  for (const [name, periods] of Object.entries(shapes)) {
    const chart = stats.data[name] as Chart
    assert.deepEqual(Object.keys(chart), ['type', 'title', 'xAxis', 'yAxis', 'series'])
    assert.equal(chart.type, 'line')
    assert.equal(chart.xAxis.length, periods)
    assert.deepEqual(Object.keys(chart.series), LEVELS)
    for (const [level, { title, data }] of Object.entries(chart.series)) {
      assert.equal(title, level)
      assert.deepEqual(Object.keys(data), Object.keys(data).sort())
      assert.equal(Object.keys(data).length, periods)
    }
  }
})

test('periods and labels are written as the contract writes them, oldest first', async () => {
  const { data } = await statsOf('2019-08-27T08:14:42Z', [['info', '2019-08-27 08:14:00', 'Line']])
  const ends = (name: string) => {
    const chart = data[name] as Chart
    const periods = Object.keys(chart.series['info']?.data ?? {})
    return [periods[0], periods.at(-1), chart.xAxis[0], chart.xAxis.at(-1), chart.title]
  }
  assert.deepEqual(ends('last_12_months'), ['2018-09', '2019-08', 'Sep', 'Aug', 'Last year'])
  assert.deepEqual(ends('last_30_days'), ['2019-07-28', '2019-08-27', 'Jul 28', 'Aug 27', 'Last 30 days'])
  const hours = ['2019-08-26 09:00', '2019-08-27 08:00', '09:00', '08:00', 'Last 24 hours']
  assert.deepEqual(ends('last_24_hours'), hours)
  const minutes = ['2019-08-27 07:14', '2019-08-27 08:14', '07:14', '08:14', 'Last 1 hour']
  assert.deepEqual(ends('last_1_hour'), minutes)
})

test('the four charts count the same lines, each by its periods; the axis reaches the highest count', async () => {
  const lines: Line[] = [
    ['warn', '2026-03-31 08:14:00', 'a'],
    ['warn', '2026-03-31 08:14:59', 'b'],
    ['warn', '2026-03-31 07:14:00', 'c'],
    ['warn', '2026-03-31 07:13:59', 'd'],
    ['warn', '2026-03-30 09:00:00', 'e'],
    ['warn', '2026-03-30 08:59:59', 'f'],
    ['warn', '2026-03-01 00:00:00', 'g'],
    ['warn', '2026-02-28 23:59:59', 'h'],
    ['warn', '2025-04-01 00:00:00', 'i'],
    ['warn', '2025-03-31 23:59:59', 'j'],
    ['error', '2026-03-31 08:00:00', 'k'],
    ['fatal', '2026-03-31 08:00:00', 'l'],
  ]
  const { data, appendix } = await statsOf('2026-03-31T08:14:42Z', lines)
  assert.deepEqual(logged(data['last_1_hour'], 'warning'), { '2026-03-31 07:14': 1, '2026-03-31 08:14': 2 })
  assert.deepEqual(logged(data['last_24_hours'], 'warning'), {
    '2026-03-30 09:00': 1,
    '2026-03-31 07:00': 2,
    '2026-03-31 08:00': 2,
  })
  assert.deepEqual(logged(data['last_30_days'], 'warning'), {
    '2026-03-01': 1,
    '2026-03-30': 2,
    '2026-03-31': 4,
  })
  assert.deepEqual(logged(data['last_12_months'], 'warning'), { '2025-04': 1, '2026-02': 1, '2026-03': 7 })
  assert.deepEqual(data['last_12_months']?.yAxis, { min: 0, max: 7 })
  assert.deepEqual(data['last_1_hour']?.yAxis, { min: 0, max: 2 })
  // Each fatal or error line appears under both names, but is one line in the total.
  for (const level of ['exception', 'error'])
    assert.deepEqual(logged(data['last_1_hour'], level), { '2026-03-31 08:00': 2 })
  for (const level of ['notice', 'NA', 'unknown', 'info'])
    assert.deepEqual(logged(data['last_12_months'], level), {})
  assert.equal(appendix['totalLogLines'], 12)
})

test('months are counted by the calendar, whatever day it is', async () => {
  const months = 'Apr May Jun Jul Aug Sep Oct Nov Dec Jan Feb Mar'.split(' ')
  for (const now of ['2026-03-01T00:00:00Z', '2026-03-29T12:00:00Z', '2026-03-31T23:59:59Z']) {
    const { data } = await statsOf(now, [['info', '2026-03-01 00:00:00', 'Line']])
    assert.deepEqual(data['last_12_months']?.xAxis, months)
  }
  const { data } = await statsOf('2024-03-01T00:00:00Z', [['info', '2024-02-29 12:00:00', 'Line']])
  assert.deepEqual(data['last_30_days']?.xAxis.slice(-3), ['Feb 28', 'Feb 29', 'Mar 01'])
  assert.deepEqual(logged(data['last_30_days'], 'info'), { '2024-02-29': 1 })
})

test('periods are those of the configured time zone, east and west of Greenwich and at half hours', async () => {
  const lines: Line[] = [['info', '2026-03-31 21:17:00', 'Line']]
  const periods = async (zone: string) => {
    const { data } = await statsOf('2026-03-31T21:17:30Z', lines, zone)
    return Object.values(data).map((chart) => Object.keys(logged(chart, 'info')).join())
  }
  assert.deepEqual(await periods('Asia/Yerevan'), [
    '2026-04',
    '2026-04-01',
    '2026-04-01 01:00',
    '2026-04-01 01:17',
  ])
  assert.deepEqual(await periods('Asia/Kolkata'), [
    '2026-04',
    '2026-04-01',
    '2026-04-01 02:00',
    '2026-04-01 02:47',
  ])
  assert.deepEqual(await periods('America/New_York'), [
    '2026-03',
    '2026-03-31',
    '2026-03-31 17:00',
    '2026-03-31 17:17',
  ])
})

test('a day on which clocks change has its periods once, all of them, and loses no line', async () => {
  const lines: Line[] = [
    ['info', '2026-11-01 05:30:00', 'At half past one'],
    ['info', '2026-11-01 06:30:00', 'At half past one again'],
  ]
  const back = await statsOf('2026-11-01T10:00:00Z', lines, 'America/New_York')
  const hours = back.data['last_24_hours']
  assert.equal(new Set(hours?.xAxis).size, 24)
  assert.deepEqual(logged(hours, 'info'), { '2026-11-01 01:00': 2 })
  const forward = await statsOf(
    '2026-03-08T12:00:00Z',
    [['info', '2026-03-08 07:30:00', 'Line']],
    'America/New_York',
  )
  assert.equal(forward.data['last_24_hours']?.xAxis.length, 24)
  assert.equal(forward.data['last_24_hours']?.xAxis.includes('02:00'), false)
  assert.deepEqual(logged(forward.data['last_24_hours'], 'info'), { '2026-03-08 03:00': 1 })
})

test('204 while nothing has been logged', async () => {
  const face = await faceAt('2026-03-31T08:14:42Z')
  assert.deepEqual(await face.get('/stats/app_logs'), { status: 204, text: '' })
  await face.close()
})
