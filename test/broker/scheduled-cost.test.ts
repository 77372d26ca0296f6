import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { commandsOf } from '../support/command-counts.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { Stage } from './stage.js'

const thirtyDays = 30 * 86_400_000
const kept = { age: 86_400_000, count: 1000 }
const retention = { completed: kept, dead: kept, cancelled: kept }

let server: TestRedis
let redis: Redis
let stage: Stage

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(async () => {
  await redis.flushall()
  stage = new Stage({ url: server.url })
  await stage.open()
  return () => stage.broker.close()
})

/** Everything that Redis holds, with scores, counters left out. */
async function held(): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {}
  for (const key of (await redis.keys('*')).sort()) {
    const name = key.split(':').at(-1) ?? ''
    const type = await redis.type(key)
    if (name === 'stats') continue
    if (type === 'zset') all[name] = await redis.zrange(key, '0', '-1', 'WITHSCORES')
    else if (type === 'hash') all[name] = await redis.hgetall(key)
    else all[name] = type
  }
  return all
}

/** What the worker, the rescuer and the pruner of an idle queue ask for, again and again. */
async function idleRound() {
  await stage.cycle({ wanted: 10, promote: true })
  await stage.broker.rescue(stage.partition, 30_000, [])
  await stage.broker.prune(stage.partition, retention)
}

test('a task that is due in 30 days is its record and a member of a sorted set', async () => {
  await idleRound()
  const before = await held()
  const id = await stage.add({ due: { in: thirtyDays } })
  const { tasks, scheduled, ...others } = await held()
  expect(others).toEqual(before)
  expect(Object.keys(tasks ?? {})).toEqual([id])
  const [member, score] = (scheduled ?? []) as string[]
  expect(member).toBe(id)
  expect(Math.floor(Number(score))).toBe(stage.now + thirtyDays)
  await idleRound()
  expect(await held()).toEqual({ tasks, scheduled, ...before })
})

test('an idle queue costs no command more, however many are due in 30 days', async () => {
  await idleRound()
  const empty = await commandsOf(redis, idleRound)
  expect(empty).toContain('zrangebyscore')
  await stage.add({ due: { in: thirtyDays } })
  expect(await commandsOf(redis, idleRound)).toBe(empty)
  const many = Array.from({ length: 1000 }, () => stage.task({ due: { in: thirtyDays } }))
  await stage.broker.enqueue(stage.partition, many, false)
  expect(await commandsOf(redis, idleRound)).toBe(empty)
})
