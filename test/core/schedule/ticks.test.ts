import { describe, expect, test } from 'vitest'
import { passedTicks, tickAfter, ticksAfter } from '../../../src/core/schedule/ticks.js'
import type { ScheduleRule } from '../../../src/core/schedule.js'

const rule = (parts: Partial<ScheduleRule>): ScheduleRule => ({
  task: 'note',
  payload: {},
  tz: 'UTC',
  overlap: 'skip',
  misfire: 'once',
  misfireLimit: 100,
  ...parts,
})

const at = (text: string) => Date.parse(text)
const isoOf = (ticks: readonly number[]) =>
  ticks.map((tick) => new Date(tick).toISOString().replace(':00.000Z', 'Z'))

/** Zone, expression, from when on, and the ticks that are right. */
const golden: readonly [tz: string, cron: string, from: string, ticks: string[]][] = [
  // Forward from 2:00 to 3:00 on 29 March: what lies in the gap comes right after it.
  [
    'Europe/Rome',
    '30 2 * * *',
    '2026-03-28T00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  ['Europe/Rome', '0 3 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00Z', '2026-03-30T01:00Z']],
  [
    'Europe/Rome',
    '*/30 * * * *',
    '2026-03-29T00:00Z',
    ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z'],
  ],
  // Every so many minutes of an hour that is not there: none.
  ['Europe/Rome', '*/30 2 * * *', '2026-03-28T12:00Z', ['2026-03-30T00:00Z', '2026-03-30T00:30Z']],
  // Back from 3:00 to 2:00 on 25 October: the first of the two.
  ['Europe/Rome', '30 2 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
  [
    'Europe/Rome',
    '*/30 * * * *',
    '2026-10-25T00:00Z',
    ['2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z'],
  ],
  [
    'Europe/Rome',
    '*/30 2 * * *',
    '2026-10-24T12:00Z',
    [
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
      '2026-10-26T01:00Z',
    ],
  ],
  ['Europe/Rome', '0 8 * * 1-5', '2026-10-23T12:00Z', ['2026-10-26T07:00Z', '2026-10-27T07:00Z']],
  [
    'America/New_York',
    '30 2 * * *',
    '2026-03-07T12:00Z',
    ['2026-03-08T07:00Z', '2026-03-09T06:30Z'],
  ],
  [
    'America/New_York',
    '30 1 * * *',
    '2026-10-31T12:00Z',
    ['2026-11-01T05:30Z', '2026-11-02T06:30Z'],
  ],
  [
    'America/New_York',
    '*/30 * * * *',
    '2026-11-01T05:00Z',
    ['2026-11-01T05:30Z', '2026-11-01T06:00Z', '2026-11-01T06:30Z', '2026-11-01T07:00Z'],
  ],
  [
    'America/New_York',
    '0 0 * * 0',
    '2026-03-01T12:00Z',
    ['2026-03-08T05:00Z', '2026-03-15T04:00Z'],
  ],
  // By half an hour: forward from 2:00 to 2:30 on 4 October, back from 2:00 to 1:30 on 5 April.
  [
    'Australia/Lord_Howe',
    '15 2 * * *',
    '2026-10-02T20:00Z',
    ['2026-10-03T15:30Z', '2026-10-04T15:15Z'],
  ],
  [
    'Australia/Lord_Howe',
    '45 1 * * *',
    '2026-04-03T20:00Z',
    ['2026-04-04T14:45Z', '2026-04-05T15:15Z'],
  ],
  [
    'Australia/Lord_Howe',
    '*/30 * * * *',
    '2026-04-04T14:00Z',
    ['2026-04-04T14:30Z', '2026-04-04T15:00Z', '2026-04-04T15:30Z'],
  ],
  // No clock changes; a leap day, a month's last day, six fields, a day of month or of week.
  ['Asia/Kolkata', '0 9 * * *', '2026-03-28T12:00Z', ['2026-03-29T03:30Z', '2026-03-30T03:30Z']],
  ['UTC', '0 0 29 2 *', '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
  ['UTC', '0 0 L * *', '2026-01-15T00:00Z', ['2026-01-31T00:00Z', '2026-02-28T00:00Z']],
  ['UTC', '0 */20 * * * *', '2026-01-01T00:00Z', ['2026-01-01T00:20Z', '2026-01-01T00:40Z']],
  ['UTC', '0 0 13 * 5', '2026-02-08T00:00Z', ['2026-02-13T00:00Z', '2026-02-20T00:00Z']],
]

test.each(golden)('in %s, %s after %s', (tz, cron, from, ticks) => {
  expect(isoOf(ticksAfter(rule({ cron, tz }), at(from), ticks.length))).toEqual(ticks)
})

test('the zone of the machine changes nothing', () => {
  const before = process.env['TZ']
  try {
    for (const zone of ['America/New_York', 'Australia/Lord_Howe']) {
      process.env['TZ'] = zone
      for (const [tz, cron, from, ticks] of golden) {
        expect(isoOf(ticksAfter(rule({ cron, tz }), at(from), ticks.length))).toEqual(ticks)
      }
    }
  } finally {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  }
})

describe('every', () => {
  test('counts from the epoch, so that whoever asks gets the same ticks', () => {
    const every = rule({ every: '15m' })
    expect(isoOf(ticksAfter(every, at('2026-01-01T00:07Z'), 2))).toEqual([
      '2026-01-01T00:15Z',
      '2026-01-01T00:30Z',
    ])
    expect(tickAfter(every, at('2026-01-01T00:15Z'))).toBe(at('2026-01-01T00:30Z'))
  })

  test('counts from startsAt where there is one, and from no sooner', () => {
    const every = rule({ every: '1h', startsAt: '2026-01-01T00:07:00Z' })
    expect(isoOf(ticksAfter(every, at('2025-01-01T00:00Z'), 2))).toEqual([
      '2026-01-01T00:07Z',
      '2026-01-01T01:07Z',
    ])
    expect(isoOf(ticksAfter(every, at('2026-01-01T05:00Z'), 1))).toEqual(['2026-01-01T05:07Z'])
  })

  test('ends with endsAt, which may be a tick', () => {
    const every = rule({ every: '1h', endsAt: '2026-01-01T02:00:00+01:00' })
    expect(isoOf(ticksAfter(every, at('2025-12-31T23:30Z'), 9))).toEqual([
      '2026-01-01T00:00Z',
      '2026-01-01T01:00Z',
    ])
  })
})

test('cron heeds startsAt and endsAt, both of which may be ticks', () => {
  const cron = rule({
    cron: '0 * * * *',
    startsAt: '2026-01-01T02:00:00Z',
    endsAt: '2026-01-01T03:00:00Z',
  })
  expect(isoOf(ticksAfter(cron, at('2025-12-01T00:00Z'), 9))).toEqual([
    '2026-01-01T02:00Z',
    '2026-01-01T03:00Z',
  ])
})

describe('of ticks that passed', () => {
  const due = at('2026-01-01T00:00Z')
  const day = 86_400_000

  test.each([
    ['every', rule({ every: '1s' })],
    ['cron', rule({ cron: '* * * * * *' })],
  ])('few are listed and counted exactly (%s)', (_, each) => {
    const { ticks, count, exact } = passedTicks(each, { due, now: due + 3500, most: 10 })
    expect({ ticks, count, exact }).toEqual({
      ticks: [due, due + 1000, due + 2000, due + 3000],
      count: 4,
      exact: true,
    })
  })

  test.each([
    ['every', rule({ every: '1s' }), true],
    ['cron', rule({ cron: '* * * * * *' }), false],
  ])('many are not gone through: the latest are listed (%s)', (_, each, exact) => {
    const now = due + 30 * day
    const passed = passedTicks(each, { due, now, most: 3 })
    expect(passed.ticks).toEqual([now - 2000, now - 1000, now])
    expect(passed.exact).toBe(exact)
    expect(passed.count).toBeGreaterThan(3)
  })

  test('those of a changing clock are the same, listed from behind or from before', () => {
    const cron = rule({ cron: '*/30 * * * *', tz: 'Europe/Rome' })
    const first = at('2026-10-20T00:00Z')
    const now = at('2026-10-25T03:10Z')
    const whole = passedTicks(cron, { due: first, now, most: 1000 })
    const last = passedTicks(cron, { due: first, now, most: 8 })
    expect(last.ticks).toEqual(whole.ticks.slice(-8))
  })
})
