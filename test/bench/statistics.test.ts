import { expect, test } from 'vitest'
import { reachedGoals } from '../../bench/goals.js'
import { mail } from '../../bench/mail.js'
import { Results } from '../../bench/results.js'
import { median, quantile } from '../../bench/statistics.js'

test('the median of an even number of values is the mean of the two in the middle', () => {
  expect(median([4, 1, 3])).toBe(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('a quantile is the least value that so many lie at or below', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(quantile(hundred, 0.99)).toBe(99)
  expect(quantile([7], 0.99)).toBe(7)
})

test('a ratio is taken within its round, and its median over the rounds', () => {
  const results = new Results()
  const about = { measure: 'speed', round: 1 }
  for (const [round, own, other] of [
    [1, 10, 5],
    [2, 100, 100],
    [3, 9, 3],
  ] as const) {
    results.add({ ...about, round, contender: 'own', figures: { rate: own } })
    results.add({ ...about, round, contender: 'other', figures: { rate: other } })
  }
  const [own] = results.summaries({
    name: 'speed',
    says: '',
    contenders: ['own', 'other'],
    baseline: 'other',
    figures: [{ key: 'rate', label: '' }],
    run: async () => ({}),
  })
  expect(own?.ratio).toEqual({ median: 2, least: 1, most: 3 })
})

test('a failed round counts for nothing, and is told', () => {
  const results = new Results()
  results.add({ measure: 'speed', contender: 'own', round: 1, failure: 'it broke' })
  const measure = {
    name: 'speed',
    says: '',
    contenders: ['own'],
    baseline: 'own',
    figures: [{ key: 'rate', label: '' }],
    run: async () => ({}),
  }
  expect(results.summaries(measure)).toEqual([])
  expect(results.failures.map(({ failure }) => failure)).toEqual(['it broke'])
})

test('every mail has 200 bytes, and an address of its own', () => {
  for (const index of [0, 7, 12_345, 9_999_999]) {
    expect(JSON.stringify(mail(index))).toHaveLength(200)
  }
  expect(mail(1).to).not.toBe(mail(2).to)
})

test('a goal is met by the median of its ratios, whichever way it points', () => {
  const results = new Results()
  const figures = [{ key: 'rate', label: '' }]
  const measure = { name: 'drain-50', says: '', baseline: 'bullmq', figures, run: async () => ({}) }
  const measures = [{ ...measure, contenders: ['redisdistro', 'bullmq'] }]
  const reach = (own: number) => {
    for (const round of [1, 2, 3]) {
      const about = { measure: 'drain-50', round }
      results.add({ ...about, contender: 'redisdistro', figures: { rate: own, nodeCpu: own } })
      results.add({ ...about, contender: 'bullmq', figures: { rate: 10, nodeCpu: 10 } })
    }
    return reachedGoals(measures, results).map(({ figure, good }) => `${figure} ${good}`)
  }
  expect(reach(79)).toEqual(['rate false'])
  expect(reach(80)).toEqual(['rate true'])
})
