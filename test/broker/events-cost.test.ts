import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { LeasedTask } from '../../src/core/broker.js'
import { commandsOf } from '../support/command-counts.js'
import { startRedis, type TestRedis, until } from '../support/redis.js'
import { error, Stage } from './stage.js'

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
  stage = new Stage({ url: server.url })
  await stage.open()
  return () => stage.broker.close()
})

/** The commands of each call that is made a thousand times a second. */
async function everyCall() {
  const seen: Record<string, string> = {}
  const note = async (name: string, work: () => Promise<unknown>) => {
    seen[name] = await commandsOf(redis, work)
  }
  let leased: LeasedTask[] = []
  const take = async () => {
    leased = await stage.lease(10)
  }
  const tasks = () => Array.from({ length: 10 }, () => stage.task())
  const many = () => stage.broker.enqueue(stage.partition, tasks(), false)
  const completed = () =>
    leased.map((task) => stage.settlement(task, { name: 'complete', result: 1 }))
  await note('enqueue', many)
  await note('enqueue more', many)
  await note('enqueue later', () => stage.add({ due: { in: 60_000 } }))
  await note('enqueue by id', () => stage.add({ fingerprint: 'f' }))
  await note('lease', take)
  await note('settle and lease', async () => {
    leased = (await stage.cycle({ settled: completed(), wanted: 10 })).leased.slice()
  })
  await note('settle', () => stage.cycle({ settled: completed() }))
  await many()
  await take()
  const [task] = leased
  if (task === undefined) throw new Error('nothing was leased')
  await note('retry', () => stage.settle(task, { name: 'retry', after: 60_000, error }))
  return seen
}

const amount = (commands: string) =>
  [...commands.matchAll(/:(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)

/** As many as when there were no events yet. */
const usual = {
  enqueue: 5,
  'enqueue more': 5,
  'enqueue later': 5,
  'enqueue by id': 8,
  lease: 9,
  'settle and lease': 16,
  settle: 10,
  retry: 10,
}

test('where nobody listens, no call is a command more than it was before there were events', async () => {
  await everyCall()
  const seen = Object.entries(await everyCall())
  expect(Object.fromEntries(seen.map(([name, commands]) => [name, amount(commands)]))).toEqual(
    usual,
  )
})

test('when the last listener is gone it is as if there had been none', async () => {
  await everyCall()
  stage.now += 301
  const before = await everyCall()
  await stage.broker.listen(stage.partition, 300)
  const during = await everyCall()
  expect(Object.values(during).join()).toContain('xadd')
  stage.now += 301
  await until(async () => (await redis.exists(`${stage.prefix}:{default}:listen`)) === 0)
  expect(await everyCall()).toEqual(before)
})

test('what is kept of moves goes by itself, however its listener ended', async () => {
  await stage.broker.listen(stage.partition, 15_000)
  await stage.add()
  const left = (name: string) => redis.pttl(`${stage.prefix}:{default}:${name}`)
  expect(await left('listen')).toBeGreaterThan(0)
  expect(await left('listen')).toBeLessThanOrEqual(15_000)
  expect(await left('events')).toBeGreaterThan(0)
  expect(await left('events')).toBeLessThanOrEqual(300_000)
})

test('of large batches fewer are kept, so that what is kept stays small', async () => {
  await stage.broker.listen(stage.partition, 60_000)
  const batch = () => Array.from({ length: 250 }, () => stage.task())
  const length = () => redis.xlen(`${stage.prefix}:{default}:events`)
  for (let i = 0; i < 200; i++) await stage.broker.enqueue(stage.partition, batch(), false)
  for (let i = 0; i < 120; i++) {
    await stage.broker.enqueue(stage.partition, batch(), false)
    expect(await length()).toBeGreaterThanOrEqual(99)
    expect(await length()).toBeLessThanOrEqual(205)
  }
})

test('one large batch cuts off no more of what was before it than its own size', async () => {
  await stage.broker.listen(stage.partition, 60_000)
  for (let i = 0; i < 1000; i++) await stage.add()
  const batch = Array.from({ length: 2000 }, () => stage.task())
  await stage.broker.enqueue(stage.partition, batch, false)
  await stage.add()
  expect(await redis.xlen(`${stage.prefix}:{default}:events`)).toBe(1003)
})

test('a mark of what is kept that cannot be read is written anew', async () => {
  await stage.broker.listen(stage.partition, 60_000)
  const meta = `${stage.prefix}:{default}:meta`
  await redis.hset(meta, { told: 'x', toldFrom: 'y' })
  await stage.add()
  await stage.add()
  expect(await redis.xlen(`${stage.prefix}:{default}:events`)).toBe(3)
  expect(await redis.hget(meta, 'told')).toBe('6')
})
