import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { scheduleKeys } from '../../src/broker/schedules/keys.js'
import type { ScheduleRule } from '../../src/core/schedule.js'
import { commandsOf } from '../support/command-counts.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { Stage } from './stage.js'

const rule: ScheduleRule = {
  task: 'note',
  payload: { n: 1 },
  tz: 'UTC',
  every: '1m',
  overlap: 'skip',
  misfire: 'once',
  misfireLimit: 100,
}
const record = { rule, source: 'runtime' } as const

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
  await redis.config('SET', 'maxmemory', '0')
  await redis.flushall()
  stage = new Stage({ url: server.url })
  await stage.open()
  return () => stage.broker.close()
})

const save = (id: string, due = stage.now + 60_000) =>
  stage.broker.schedules.save({ id, revision: 0, record, paused: false, due })

const saveAll = (from: number, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => save(`s${from + i}`)))

const page = async (limit = 1000) => {
  const { schedules } = await stage.broker.schedules.page({ limit })
  return schedules.map(({ id }) => id)
}

test('a page costs what it shows, and a look nothing, however many schedules there are', async () => {
  await saveAll(0, 20)
  const ofPage = () => commandsOf(redis, () => page(10))
  const ofLook = () => commandsOf(redis, () => stage.broker.schedules.look(['note']))
  const [few, idle] = [await ofPage(), await ofLook()]
  expect(few).toContain('hget:10 ')
  await saveAll(20, 2000)
  expect(await ofPage()).toBe(few)
  expect(await ofLook()).toBe(idle)
  // One look at Redis is never longer than this, whatever is asked.
  expect(await page()).toHaveLength(250)
})

test('what a build without names has added or removed is found all the same', async () => {
  const keys = scheduleKeys(stage.prefix)
  await saveAll(0, 3)
  await redis.del(keys.names)
  expect(await page()).toEqual(['s0', 's1', 's2'])
  await redis.hdel(keys.rules, 's1')
  expect(await page()).toEqual(['s0', 's2'])
  // As many names as rules, and other ones.
  await redis.zrem(keys.names, 's0')
  await redis.zadd(keys.names, 0, 's9')
  expect(await page()).toEqual(['s0', 's2'])
  expect(await redis.zrange(keys.names, '0', '-1')).toEqual(['s0', 's2'])
})

test('a full Redis takes no claim, and what is due stays so until there is room', async () => {
  const { schedules } = stage.broker
  await save('a', stage.now)
  const tick = {
    id: 'a',
    taskId: 'a:1',
    tick: stage.now,
    due: stage.now,
    task: 'note',
    payload: {},
  }
  const claims = [stage.now + 1000, undefined].map(
    (next) => () =>
      schedules.claim({ id: 'a', revision: 1, due: stage.now, next, ticks: [tick], passed: [] }),
  )
  await redis.config('SET', 'maxmemory', '1')
  for (const claim of claims) await expect(claim()).rejects.toMatchObject({ code: 'store_full' })
  expect((await schedules.look(['note'])).due).toMatchObject([{ id: 'a', runs: 0 }])
  await redis.config('SET', 'maxmemory', '0')
  expect(await claims[0]?.()).toBe(true)
})

test('a look is cut short where what is due is large', async () => {
  const { schedules } = stage.broker
  const large = { ...record, rule: { ...rule, payload: 'x'.repeat(3 * 1024 * 1024) } }
  for (const id of ['a', 'b', 'c']) {
    await schedules.save({ id, revision: 0, record: large, paused: false, due: stage.now })
  }
  const look = await schedules.look(['note'])
  expect(look).toMatchObject({ due: [{ id: 'a' }, { id: 'b' }], rest: { due: 0, stale: 0 } })
})

test('a record that cannot be read is replaced by the next that is put there', async () => {
  const { schedules } = stage.broker
  const keys = scheduleKeys(stage.prefix)
  for (const broken of ['7 note {"rule":', 'nothing of ours']) {
    await save('a', stage.now)
    await schedules.note('a', { tick: '1', outcome: 'enqueued' })
    await redis.hset(keys.rules, 'a', broken)
    expect(await schedules.find('a')).toBeUndefined()
    expect(await save('a', stage.now + 1)).toBe(true)
    const found = await schedules.find('a')
    expect(found).toMatchObject({ due: stage.now + 1, runs: 0 })
    expect(await save('a')).toBe(false)
    await schedules.remove('a', found?.revision ?? 0)
  }
})

test('what a hand has broken is set aside, and holds nothing up', async () => {
  const { schedules } = stage.broker
  const keys = scheduleKeys(stage.prefix)
  const old = stage.now - 10_000
  await redis.zadd(keys.due, old, 'no-rule')
  await redis.zadd(keys.pending, old, 'no-snapshot', old, 'bad:1')
  await redis.hset(keys.snapshots, 'bad:1', `${old} note {"taskId":`)
  await save('a', stage.now)
  const look = await schedules.look(['note'])
  expect(look).toMatchObject({ due: [{ id: 'a' }], stale: [] })
  expect(await redis.zrange(keys.due, '0', '-1')).toEqual(['a'])
  expect(await redis.exists(keys.pending, keys.snapshots)).toBe(0)
})
