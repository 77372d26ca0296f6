import { expect, test } from 'vitest'
import { parseRate, rateMessage } from '../../src/core/rate.js'

test.each([
  ['14/s', 14, 1000],
  ['100/m', 100, 60_000],
  [' 1000 / h ', 1000, 3_600_000],
  ['1/d', 1, 86_400_000],
])('%s is a rate', (text, count, per) => {
  expect(parseRate(text)).toEqual({ count, per })
})

test.each(['', '14', '/s', '0/s', '-1/s', '1.5/s', '14/S', '14/week', '14/s and more', '1e3/s'])(
  '%o is none',
  (text) => {
    expect(parseRate(text)).toBeUndefined()
    expect(rateMessage(text)).toContain(JSON.stringify(text))
  },
)
