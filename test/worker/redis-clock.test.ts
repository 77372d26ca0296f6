import { expect, test } from 'vitest'
import { RedisClock } from '../../src/worker/redis-clock.js'

test('an answer that was heard late does not set the clock back', () => {
  let monotonic = 1000
  const clock = { now: () => 50_000, monotonic: () => monotonic }
  const redis = new RedisClock(clock)
  expect(redis.now()).toBe(50_000)
  // Sent at 1000, answered at once, heard after 200 ms of other work.
  monotonic = 1200
  redis.hear(50_001, { began: 1000, ended: 1200 })
  expect(redis.now()).toBe(50_200)
})

test('a clock that is off comes within the call', () => {
  const clock = { now: () => 50_000, monotonic: () => 1000 }
  const redis = new RedisClock(clock)
  redis.hear(60_000, { began: 998, ended: 1000 })
  expect(redis.now()).toBe(60_000)
  redis.hear(40_000, { began: 998, ended: 1000 })
  expect(redis.now()).toBe(40_002)
})
