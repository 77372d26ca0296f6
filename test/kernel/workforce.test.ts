import { expect, test } from 'vitest'
import { shareOf } from '../../src/kernel/workforce.js'

const shares = (concurrency: number, of: number) =>
  Array.from({ length: of }, (_, index) => shareOf(concurrency, { queue: 'a', index, of }))

test("a queue's concurrency is split over its partitions, and each has at least one", () => {
  expect(shares(10, 1)).toEqual([10])
  expect(shares(10, 4)).toEqual([3, 3, 2, 2])
  expect(shares(2, 4)).toEqual([1, 1, 1, 1])
})
