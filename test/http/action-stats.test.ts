/** `GET /stats/user_actions` over a made-up history, at times that the test chooses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INTERVALS } from '../../src/core/action-stats.ts'
import { GUEST, SYSTEM } from '../../src/core/actions.ts'
import { faceAt } from '../support/face-at.ts'

const NOW = '2026-03-31T12:34:56Z'
const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`)

type Figures = { byTypeCount: Record<string, number>; byTypePercentage: Record<string, number> }
type Stats = Record<string, Record<string, Figures>>

/** The statistics of a history: codes with their times. An entry without a code or an account gets the defaults. */
async function statsOf(
  history: readonly { atMs: number; code?: string; accountId?: number }[],
  { now = NOW, ...variables }: { now?: string } & Record<string, string> = {},
): Promise<Stats> {
  const face = await faceAt(now, variables)
  try {
    await face.record(history)
    const { status, text } = await face.get('/stats/user_actions')
    assert.equal(status, 200)
    return JSON.parse(text) as Stats
  } finally {
    await face.close()
  }
}

/** The number of users' actions in each interval. */
function totals(stats: Stats): Record<string, number> {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0)
  return Object.fromEntries(
    INTERVALS.map((name) => [name, sum(stats['usersStats']?.[name]?.byTypeCount ?? {})]),
  )
}

test('it is exactly what the contract says, keys in their order, codes by the alphabet', async () => {
  const face = await faceAt(NOW)
  await face.record([
    { atMs: at('2026-03-31 12:00:00'), code: 'Users->getAccount' },
    { atMs: at('2026-03-31 12:00:00'), code: 'Users->getAccount', accountId: 2 },
    { atMs: at('2026-03-31 12:00:00'), code: 'Auth->Authorize' },
    { atMs: at('2026-03-31 12:00:00'), code: 'Auth->Refused', accountId: GUEST },
    { atMs: at('2026-03-31 12:00:00'), code: 'Keys->rotate', accountId: SYSTEM },
    { atMs: at('2026-01-01 00:00:00'), code: 'Keys->rotate', accountId: SYSTEM },
  ])
  const { status, text } = await face.get('/stats/user_actions')
  await face.close()
  assert.equal(status, 200)
  const users = {
    byTypeCount: { 'Auth->Authorize': 1, 'Users->getAccount': 2 },
    byTypePercentage: { 'Auth->Authorize': 33.33, 'Users->getAccount': 66.67 },
  }
  const guests = { byTypeCount: { 'Auth->Refused': 1 }, byTypePercentage: { 'Auth->Refused': 100 } }
  const system = (count: number) => ({
    byTypeCount: { 'Keys->rotate': count },
    byTypePercentage: { 'Keys->rotate': 100 },
  })
  const early = {
    byTypeCount: { 'Auth->Authorize': 1, 'Auth->Refused': 1, 'Keys->rotate': 2, 'Users->getAccount': 2 },
    byTypePercentage: {
      'Auth->Authorize': 16.67,
      'Auth->Refused': 16.67,
      'Keys->rotate': 33.33,
      'Users->getAccount': 33.33,
    },
  }
  const late = {
    byTypeCount: { 'Auth->Authorize': 1, 'Auth->Refused': 1, 'Keys->rotate': 1, 'Users->getAccount': 2 },
    byTypePercentage: {
      'Auth->Authorize': 20,
      'Auth->Refused': 20,
      'Keys->rotate': 20,
      'Users->getAccount': 40,
    },
  }
  const intervals = (first: object, second: object) => ({
    Total: first,
    'Last year': first,
    'Last 3 months': first,
    'Last month': second,
    'Last 30 days': second,
    'Last 24 hours': second,
    'Last hour': second,
  })
  const expected = {
    totalStats: intervals(early, late),
    systemStats: intervals(system(2), system(1)),
    usersStats: intervals(users, users),
    guestsStats: intervals(guests, guests),
    lastStatUpdateDate: '2026-03-31 12:34:56',
  }
  assert.equal(text, JSON.stringify(expected))
})

test('each interval starts with a full hour, months by the calendar and not by their length', async () => {
  // NOW is 12:34:56 on 31 March. February has no 31st, so the last month begins on the last day of February.
  const starts = {
    'Last hour': '2026-03-31 11:00:00',
    'Last 24 hours': '2026-03-30 12:00:00',
    'Last 30 days': '2026-03-01 12:00:00',
    'Last month': '2026-02-28 12:00:00',
    'Last 3 months': '2025-12-31 12:00:00',
    'Last year': '2025-03-31 12:00:00',
  }
  const days = { DUKTIG_ACTION_RETENTION_DAYS: '400' }
  const all = Object.values(starts)
  const onTime = totals(
    await statsOf(
      all.map((text) => ({ atMs: at(text) })),
      days,
    ),
  )
  assert.deepEqual(onTime, {
    Total: 6,
    'Last year': 6,
    'Last 3 months': 5,
    'Last month': 4,
    'Last 30 days': 3,
    'Last 24 hours': 2,
    'Last hour': 1,
  })
  const tooEarly = totals(
    await statsOf(
      all.map((text) => ({ atMs: at(text) - 1 })),
      days,
    ),
  )
  assert.deepEqual(tooEarly, {
    Total: 6,
    'Last year': 5,
    'Last 3 months': 4,
    'Last month': 3,
    'Last 30 days': 2,
    'Last 24 hours': 1,
    'Last hour': 0,
  })
})

test('the ends of months are right in leap years and over the turn of the year too', async () => {
  const rows = [
    ['2024-03-31T08:00:00Z', '2024-02-29 08:00:00'],
    ['2023-03-29T08:00:00Z', '2023-02-28 08:00:00'],
    ['2026-05-31T08:00:00Z', '2026-04-30 08:00:00'],
    ['2026-01-31T08:00:00Z', '2025-12-31 08:00:00'],
    ['2026-07-15T08:00:00Z', '2026-06-15 08:00:00'],
  ] as const
  for (const [now, start] of rows) {
    const stats = await statsOf([{ atMs: at(start) }, { atMs: at(start) - 1 }], { now })
    assert.equal(totals(stats)['Last month'], 1, now)
  }
})

test('months are those of the configured time zone', async () => {
  // It is 03:00 on 1 April in Yerevan, so the last month began on 1 March at 03:00 there: 23:00 UTC on 28 February.
  const zone = { now: '2026-03-31T23:00:00Z', DUKTIG_TIME_ZONE: 'Asia/Yerevan' }
  const stats = await statsOf(
    [{ atMs: at('2026-02-28 23:00:00') }, { atMs: at('2026-02-28 22:59:59') }],
    zone,
  )
  assert.equal(totals(stats)['Last month'], 1)
  assert.deepEqual(stats['lastStatUpdateDate'], '2026-04-01 03:00:00')
})

test('nothing goes back beyond the retention, not even while it has not been removed yet', async () => {
  const history = [{ atMs: at('2026-03-24 12:00:00') }, { atMs: at('2026-03-24 11:59:59') }]
  const stats = await statsOf(history, { DUKTIG_ACTION_RETENTION_DAYS: '7' })
  const counts = totals(stats)
  for (const name of ['Total', 'Last year', 'Last 3 months', 'Last month', 'Last 30 days'])
    assert.equal(counts[name], 1, name)
  assert.equal(counts['Last 24 hours'], 0)
})

test('an interval in which nothing happened has empty figures', async () => {
  const stats = await statsOf([{ atMs: at('2026-03-01 00:00:00') }])
  assert.deepEqual(stats['totalStats']?.['Last hour'], { byTypeCount: {}, byTypePercentage: {} })
  assert.deepEqual(stats['guestsStats']?.['Total'], { byTypeCount: {}, byTypePercentage: {} })
})

test('204 while nothing has been recorded; asking is an action itself, so once', async () => {
  const face = await faceAt(NOW)
  assert.deepEqual(await face.get('/stats/user_actions'), { status: 204, text: '' })
  const { status, text } = await face.get('/stats/user_actions')
  await face.close()
  assert.equal(status, 200)
  const stats = JSON.parse(text) as Stats
  assert.deepEqual(stats['totalStats']?.['Total']?.byTypeCount, { 'UserActions->getUserActionsStats': 1 })
})
