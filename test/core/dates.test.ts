/** Dates of the face in UTC, in a zone without clock changes, and in zones east and west of UTC that have them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDateFormat } from '../../src/core/dates.ts'

const iso = (text: string) => Date.parse(text)

/** Zone, local time, and the same moment in UTC. Each time converts to the other. */
const BOTH_WAYS = [
  ['UTC', '2019-11-15 11:55:37', '2019-11-15T11:55:37Z'],
  ['UTC', '1970-01-01 00:00:00', '1970-01-01T00:00:00Z'],
  ['UTC', '2024-02-29 23:59:59', '2024-02-29T23:59:59Z'],
  ['UTC', '1969-12-31 23:59:59', '1969-12-31T23:59:59Z'],
  ['UTC', '0987-01-01 00:00:00', '0987-01-01T00:00:00Z'],
  ['Etc/GMT-2', '0050-06-01 12:00:00', '0050-06-01T10:00:00Z'],
  ['Asia/Yerevan', '2019-11-15 15:55:37', '2019-11-15T11:55:37Z'],
  ['Asia/Yerevan', '2026-01-01 00:00:00', '2025-12-31T20:00:00Z'],
  // Armenia moved its clocks until 2011.
  ['Asia/Yerevan', '2010-07-01 12:00:00', '2010-07-01T07:00:00Z'],
  ['Europe/Berlin', '2024-01-15 12:00:00', '2024-01-15T11:00:00Z'],
  ['Europe/Berlin', '2024-07-15 12:00:00', '2024-07-15T10:00:00Z'],
  ['Europe/Berlin', '2024-03-31 01:59:59', '2024-03-31T00:59:59Z'],
  ['Europe/Berlin', '2024-03-31 03:00:00', '2024-03-31T01:00:00Z'],
  ['Europe/Berlin', '2024-10-27 03:00:00', '2024-10-27T02:00:00Z'],
  ['America/New_York', '2024-03-10 01:59:59', '2024-03-10T06:59:59Z'],
  ['America/New_York', '2024-03-10 03:00:00', '2024-03-10T07:00:00Z'],
  ['America/New_York', '2024-11-03 02:00:00', '2024-11-03T07:00:00Z'],
  // A clock change of half an hour, and an offset with a quarter of an hour.
  ['Australia/Lord_Howe', '2024-04-07 02:30:00', '2024-04-06T16:00:00Z'],
  ['Asia/Kathmandu', '2024-05-01 00:00:00', '2024-04-30T18:15:00Z'],
] as const

describe('a date is written and read in the zone', () => {
  for (const [zone, text, moment] of BOTH_WAYS) {
    test(`${text} in ${zone} is ${moment}`, () => {
      const dates = createDateFormat(zone)
      assert.equal(dates.format(iso(moment)), text)
      assert.equal(dates.parse(text), iso(moment))
    })
  }
})

describe('a time that a clock change skipped moves on', () => {
  for (const [zone, skipped, moved] of [
    ['Europe/Berlin', '2024-03-31 02:30:00', '2024-03-31 03:30:00'],
    ['America/New_York', '2024-03-10 02:30:00', '2024-03-10 03:30:00'],
    ['Asia/Yerevan', '2010-03-28 02:30:00', '2010-03-28 03:30:00'],
  ] as const) {
    test(`${skipped} in ${zone}`, () => {
      const dates = createDateFormat(zone)
      assert.equal(dates.format(dates.parse(skipped)), moved)
    })
  }
})

describe('of a time that a clock change brings twice the first is meant', () => {
  for (const [zone, twice, moment] of [
    ['Europe/Berlin', '2024-10-27 02:30:00', '2024-10-27T00:30:00Z'],
    ['America/New_York', '2024-11-03 01:30:00', '2024-11-03T05:30:00Z'],
  ] as const) {
    test(`${twice} in ${zone}`, () => {
      const dates = createDateFormat(zone)
      assert.equal(dates.parse(twice), iso(moment))
      assert.equal(dates.format(iso(moment)), twice)
      assert.equal(dates.format(iso(moment) + 3_600_000), twice)
    })
  }
})

test('every hour of a year survives writing and reading, but for the hour that comes twice', () => {
  for (const zone of ['UTC', 'Asia/Yerevan', 'Europe/Berlin', 'America/New_York']) {
    const dates = createDateFormat(zone)
    const differing = Array.from({ length: 366 * 24 }, (_, hour) => Date.UTC(2024, 0, 1, hour)).filter(
      (timeMs) => dates.parse(dates.format(timeMs)) !== timeMs,
    )
    assert.ok(differing.length <= (zone === 'UTC' || zone === 'Asia/Yerevan' ? 0 : 1), zone)
  }
})

test('milliseconds are cut off, not rounded', () => {
  const dates = createDateFormat('UTC')
  assert.equal(dates.format(iso('2024-05-01T10:00:59.999Z')), '2024-05-01 10:00:59')
})

test('nothing is written as nothing', () => {
  for (const zone of ['UTC', 'Europe/Berlin']) assert.equal(createDateFormat(zone).format(null), null)
})

const INVALID = [
  '0000-01-01 00:00:00',
  '',
  '2024-02-30 00:00:00',
  '2023-02-29 00:00:00',
  '2024-13-01 00:00:00',
  '2024-00-01 00:00:00',
  '2024-01-00 00:00:00',
  '2024-04-31 12:00:00',
  '2024-01-01 24:00:00',
  '2024-01-01 23:60:00',
  '2024-01-01 23:59:60',
  '2024-01-01T00:00:00',
  '2024-01-01 00:00:00Z',
  '2024-01-01 00:00',
  '2024-1-1 0:0:0',
  ' 2024-01-01 00:00:00',
  '2024-01-01 00:00:00\n',
  '٢٠٢٤-01-01 00:00:00',
  'now',
]

for (const text of INVALID) {
  test(`${JSON.stringify(text)} is no date`, () => {
    for (const zone of ['UTC', 'Asia/Yerevan', 'America/New_York']) {
      assert.equal(createDateFormat(zone).parse(text), null)
    }
  })
}
