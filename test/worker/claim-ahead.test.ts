import { expect, test } from 'vitest'
import { ClaimAhead } from '../../src/worker/claim-ahead.js'

/** After many cycles alike: `completed` tasks in `ms` each, heard after `roundTrip` ms. */
function roomAfter(completed: number, ms: number, roundTrip: number): number {
  const ahead = new ClaimAhead()
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

test('handlers that keep the loop busy have no more than 50 ms of work ahead, though the answer waits for them', () => {
  // 50 handlers of 20 ms each, one after the other, behind the send: the round trip seems a second.
  expect(roomAfter(50, 1000, 1000)).toBeLessThanOrEqual(2)
})
