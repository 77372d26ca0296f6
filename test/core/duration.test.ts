import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { durationSchema, formatDuration, parseDuration } from '../../src/core/duration.js'
import { fc } from '../support/fuzz.js'

describe('parseDuration', () => {
  test.each<[string | number, number]>([
    ['500ms', 500],
    ['2s', 2_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    [' 1H30M ', 5_400_000],
    ['1.5h', 5_400_000],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['2 hours', 7_200_000],
    ['1 hour 30 minutes', 5_400_000],
    ['90 secs', 90_000],
    ['250 milliseconds', 250],
    ['0s', 0],
    ['1500', 1_500],
    [1500, 1_500],
    [0, 0],
    [0.6, 1],
  ])('reads %j as %d ms', (written, ms) => {
    expect(parseDuration(written)).toBe(ms)
  })

  test.each<string | number>([
    '',
    ' ',
    'abc',
    'm',
    '-5m',
    '+5m',
    '5m junk',
    'junk 5m',
    'in 5m',
    '1h30',
    '30m1h',
    '5m5m',
    '5m,',
    '1h and 30m',
    '.5h',
    '1.h',
    '1,5h',
    '1_000ms',
    '1 000ms',
    '1e3s',
    '1month',
    '1y',
    '5 fortnights',
    '5µs',
    '9'.repeat(30),
    `${'9'.repeat(30)}h`,
    `${'0'.repeat(200)}5m`,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MAX_VALUE,
  ])('does not read %j', (written) => {
    expect(parseDuration(written)).toBeUndefined()
  })

  test('reads what it reads as a non-negative integer, and never throws', () => {
    const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w', 'x', ' ', '.', '-', 'e', '')
    const pieces = fc.array(fc.tuple(fc.nat().map(String), unit), { maxLength: 4 })
    const text = fc.oneof(
      fc.string(),
      pieces.map((list) => list.flat().join('')),
    )
    fc.assert(
      fc.property(fc.oneof(text, fc.double()), (written) => {
        const ms = parseDuration(written)
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('refuses a duration with a word put before or behind it', () => {
    const word = fc.stringMatching(/^[a-z]{2,9}$/)
    fc.assert(
      fc.property(fc.nat(), word, (count, junk) => {
        expect(parseDuration(`${junk} ${count}m`)).toBeUndefined()
        expect(parseDuration(`${count}m ${junk}`)).toBeUndefined()
      }),
    )
  })
})

describe('durationSchema', () => {
  test('turns text and numbers to ms', () => {
    expect(durationSchema.parse('1h30m')).toBe(5_400_000)
    expect(durationSchema.parse(250)).toBe(250)
  })

  test.each<[unknown, string]>([
    ['abc', '"abc" is not a duration; write one such as 500ms, 30s, 5m, 1h30m, 24h'],
    [-5, '-5 is not a duration; write one such as 500ms, 30s, 5m, 1h30m, 24h'],
    [true, 'true is not a duration; write one such as 500ms, 30s, 5m, 1h30m, 24h'],
    [undefined, 'nothing is not a duration; write one such as 500ms, 30s, 5m, 1h30m, 24h'],
  ])('refuses %j in one clear sentence', (value, message) => {
    const result = durationSchema.safeParse(value)
    expect(result.error?.issues.map((issue) => issue.message)).toEqual([message])
  })

  test('cuts a long value short in its message', () => {
    const message = durationSchema.safeParse('x'.repeat(10_000)).error?.issues[0]?.message
    expect(message?.length).toBeLessThan(150)
  })

  test('shows in a JSON schema as text or a number', () => {
    expect(z.toJSONSchema(durationSchema, { io: 'input' })).toMatchObject({
      type: ['string', 'number'],
    })
  })
})

describe('formatDuration', () => {
  test.each<[number, string]>([
    [0, '0ms'],
    [250, '250ms'],
    [1_000, '1s'],
    [1_500, '1s 500ms'],
    [5_400_000, '1h 30m'],
    [5_430_000, '1h 30m'],
    [3_601_000, '1h'],
    [90_000_000, '1d 1h'],
    [-60_000, '-1m'],
    [Number.POSITIVE_INFINITY, 'forever'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test('shows text that reads back as the same length, short of its third unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => {
        const back = parseDuration(formatDuration(ms)) ?? Number.NaN
        expect(back).toBeLessThanOrEqual(ms)
        expect(back).toBeGreaterThanOrEqual(ms * (1 - 1 / 24))
      }),
    )
  })
})
