import { expect, test } from 'vitest'
import { rateSchema } from '../../src/core/limits.js'
import { parseRate, rateMessage } from '../../src/core/rate.js'

test.each([
  ['14/s', 14, 1000],
  ['100/m', 100, 60_000],
  [' 1000 / h ', 1000, 3_600_000],
  ['1/d', 1, 86_400_000],
  ['5/10s', 5, 10_000],
  [' 5 / 1.5 Minutes ', 5, 90_000],
  ['1/30d', 1, 30 * 86_400_000],
])('%s is a rate', (text, amount, per) => {
  expect(parseRate(text)).toEqual({ amount, per })
})

test.each([
  ...['', '14', '/s', '0/s', '-1/s', '1.5/s', '1e3/s', '14/0s', '14/x'],
  ...['14/s now', '14/s and more', '1/31d', '200/ms'],
])('%o is none, and the refusal says what would be', (text) => {
  expect(parseRate(text)).toBeUndefined()
  const words = `${JSON.stringify(text)} is not a rate; write whole tasks`
  expect(rateMessage(text)).toContain(words)
  expect(rateSchema.safeParse(text).error?.issues[0]?.message).toContain(words)
})
