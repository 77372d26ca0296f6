import { expect, test } from 'vitest'
import { Slice } from '../../src/worker/slice.js'

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('handlers get 10 ms of a turn of the event loop, and go on in the next one', async () => {
  let now = 1000
  let calls = 0
  const clock = { now: () => now, monotonic: () => now }
  const slice = new Slice(clock, () => {
    calls += 1
  })
  expect(slice.over).toBe(false)
  now += 9
  expect(slice.over).toBe(false)
  now += 1
  expect([slice.over, slice.over]).toEqual([true, true])
  expect(calls).toBe(0)
  await nextTurn()
  expect(calls).toBe(1)
  expect(slice.over).toBe(false)
  await nextTurn()
  // A turn that was not cut asks for nothing.
  expect(calls).toBe(1)
  now += 60_000
  expect(slice.over).toBe(false)
})
