import { expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.js'
import { ClaimAhead } from '../../src/worker/claim-ahead.js'

/** After many cycles alike: `completed` tasks in `ms` each, in calls of `roundTrip` ms. */
function roomAfter(completed: number, ms: number, roundTrip: number): number {
  const ahead = new ClaimAhead(systemClock)
  for (let cycle = 0; cycle < 50; cycle++) ahead.measure(completed, ms, roundTrip)
  return ahead.room
}

test('instant handlers have hundreds of tasks ahead, and never more than 500', () => {
  expect(roomAfter(300, 3, 2.5)).toBeGreaterThan(400)
  expect(roomAfter(10_000, 3, 3)).toBe(500)
})

test('slow handlers have none', () => {
  expect(roomAfter(10, 20, 0.5)).toBe(0)
})

test('a Redis far away has as many ahead as its round trip asks for', () => {
  expect(roomAfter(200, 100, 100)).toBeGreaterThan(390)
})

test('handlers that keep the loop busy have little ahead, though the answer waits for them', async () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const ahead = new ClaimAhead(systemClock)
  for (let cycle = 0; cycle < 20; cycle++) {
    ahead.send()
    await turn()
    // Ten handlers of 10 ms, one after the other, before the loop comes to the answer.
    const end = performance.now() + 100
    while (performance.now() < end);
    await turn()
    ahead.hear(10)
  }
  // 0.1 a ms, and not the 100 ms of the call, but 25.
  expect(ahead.room).toBeLessThanOrEqual(6)
})
