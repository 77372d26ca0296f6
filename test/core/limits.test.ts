import { expect, test } from 'vitest'
import { burstOf, limitsWords, rateSchema } from '../../src/core/limits.js'
import { formatRate, parseRate, type Rate } from '../../src/core/rate.js'

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
