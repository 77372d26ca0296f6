import { expect, test } from 'vitest'
import { RedisTime } from '../../src/client/redis-time.js'
import type { Broker } from '../../src/core/broker.js'
import { until } from '../support/until.js'

const hour = 3_600_000

/** A clock here, and Redis's beside it; both go on by `pass`. */
function stage({ wrongBy }: { readonly wrongBy: number }) {
  const redis = { now: 1_000_000, asked: 0 }
  const here = { wrongBy, monotonic: 5000 }
  const now = async () => {
    redis.asked++
    return redis.now
  }
  const clock = { now: () => redis.now + here.wrongBy, monotonic: () => here.monotonic }
  const pass = (ms: number) => {
    redis.now += ms
    here.monotonic += ms
  }
  return { redis, here, pass, time: new RedisTime({ now } as Broker, clock) }
}

test('who has a wrong clock knows the time once Redis has answered', async () => {
  const { redis, time } = stage({ wrongBy: hour })
  expect(time.estimate()).toBe(redis.now + hour)
  await until(() => time.estimate() === redis.now)
  expect(redis.asked).toBe(1)
})

test('a clock that is put right meanwhile changes nothing', async () => {
  const { redis, here, pass, time } = stage({ wrongBy: -hour })
  await time.ask()
  here.wrongBy = 0
  pass(1000)
  expect(time.estimate()).toBe(redis.now)
})

test('what was learnt is learnt anew after a minute, and once at a time', async () => {
  const { redis, pass, time } = stage({ wrongBy: 0 })
  await time.ask()
  pass(61_000)
  redis.now += 500
  time.estimate()
  time.estimate()
  await until(() => time.estimate() === redis.now)
  expect(redis.asked).toBe(2)
})
