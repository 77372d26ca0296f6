import { expect, test } from 'vitest'
import {
  burstOf,
  formatRate,
  limitsWords,
  parseRate,
  type Rate,
  rateSchema,
} from '../../src/core/limits.js'

test('a rate is whole tasks per time', () => {
  expect(parseRate('14/s')).toEqual({ amount: 14, per: 1000 })
  expect(parseRate('100/m')).toEqual({ amount: 100, per: 60_000 })
  expect(parseRate('1000/h')).toEqual({ amount: 1000, per: 3_600_000 })
  expect(parseRate('5/10s')).toEqual({ amount: 5, per: 10_000 })
  expect(parseRate(' 5 / 1.5 Minutes ')).toEqual({ amount: 5, per: 90_000 })
  expect(parseRate('1/30d')).toEqual({ amount: 1, per: 30 * 86_400_000 })
})

test.each(['', '14', '/s', '0/s', '1.5/s', '-1/s', '14/0s', '14/x', '14/s now', '1/31d', '200/ms'])(
  '%j is no rate, and the refusal says what would be',
  (text) => {
    expect(parseRate(text)).toBeUndefined()
    const [issue] = rateSchema.safeParse(text).error?.issues ?? []
    expect(issue?.message).toContain(`${JSON.stringify(text)} is not a rate; write whole tasks`)
  },
)

test('a rate has one text, which is read as the same rate', () => {
  expect(rateSchema.parse('14 / 1 sec')).toBe('14/s')
  expect(rateSchema.parse('5/90s')).toBe('5/90s')
  expect(rateSchema.parse('5/120s')).toBe('5/2m')
  for (const text of ['14/s', '5/90s', '7/36h', '3/250ms', '1/d']) {
    expect(formatRate(parseRate(text) as Rate)).toBe(text)
  }
  expect(rateSchema.safeParse(14).error?.issues[0]?.message).toContain('a number is not a rate')
})

test('as many may start at once as in one second, and at least one', () => {
  const bursts = ['14/s', '100/m', '1000/h', '5/10s', '5/250ms', '1/d'].map((text) =>
    burstOf(parseRate(text) as Rate),
  )
  expect(bursts).toEqual([14, 1, 1, 1, 20, 1])
})

test('limits are told in words', () => {
  expect(limitsWords({})).toBe('none')
  expect(limitsWords({ rate: '14/s', maxActive: 5 })).toBe('rate 14/s, maxActive 5')
})
