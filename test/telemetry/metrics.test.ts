import { expect, test } from 'vitest'
import { createCounters } from '../../src/telemetry/metrics.js'
import { Tally } from '../../src/worker/tally.js'

test('a counter grows by name and labels, from one when nothing is said', () => {
  const counters = createCounters()
  counters.add('a', { queue: 'x' })
  counters.add('a', { queue: 'x' }, 4)
  counters.add('a', { queue: 'y' }, 2)
  counters.add('b', {})
  expect(counters.read()).toEqual([
    { name: 'a', labels: { queue: 'x' }, value: 5 },
    { name: 'a', labels: { queue: 'y' }, value: 2 },
    { name: 'b', labels: {}, value: 1 },
  ])
})

test('outcomes are handed over once a cycle, by type', () => {
  const counters = createCounters()
  const tally = new Tally(counters, 'q')
  tally.count('email', 'complete')
  tally.count('email', 'complete')
  tally.count('image', 'retry')
  expect(counters.read()).toEqual([])
  tally.flush(0)
  tally.flush(3)
  expect(counters.read().map(({ labels, value }) => [labels, value])).toEqual([
    [{ queue: 'q', type: 'email', outcome: 'complete' }, 2],
    [{ queue: 'q', type: 'image', outcome: 'retry' }, 1],
    [{ queue: 'q' }, 3],
  ])
})
