import { type Config, definePlugin, defineTask, FatalError } from 'redisdistro'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { createClient } from '../../src/client.js'
import { lookAtFormer } from '../../src/kernel/layouts.js'
import { silentLog } from '../../src/telemetry/log.js'
import { testPrefix, testRedisUrl, until } from '../support/redis.js'
import { adder, keepingLog, kernelOf, testConfig } from './stage.js'

const fail = defineTask({
  type: 'fail',
  payload: z.object({}),
  handle: () => {
    throw new FatalError('no use')
  },
})

/** The same store and plugins, with so many partitions of the queue `default`. */
function configs() {
  const base = testConfig({
    http: false,
    plugins: [adder(), definePlugin({ name: 'failer', tasks: [fail] })],
  })
  return (partitions: number): Config => ({ ...base, queues: { default: { partitions } } })
}

const numbers = (count: number) => Array.from({ length: count }, (_, a) => ({ a, b: 1 }))

for (const [before, after] of [
  [4, 1],
  [1, 4],
  [3, 2],
] as const) {
  test(`from ${before} partitions to ${after}: what lies by the former number is found, worked and counted`, async () => {
    const withPartitions = configs()
    const first = await kernelOf(withPartitions(before))
    await first.start({ roles: ['producer'] })
    const waiting = await first.client.enqueueMany('add', numbers(24))
    const delayed = await first.client.enqueueMany('add', numbers(24), { delay: '1h' })
    await first.stop()

    const second = await kernelOf(withPartitions(after))
    await second.start({ roles: ['producer'] })
    const { operator } = second
    expect(await operator.queue('default')).toMatchObject({
      partitions: after,
      depth: { waiting: 24, scheduled: 24 },
    })
    for (const { id } of [...waiting, ...delayed]) {
      expect(await second.client.task(id)).toMatchObject({ id })
    }
    for (const { id } of delayed) expect(await operator.promote(id)).toMatchObject({ ok: true })
    await second.stop()

    const worker = await kernelOf(withPartitions(after))
    await worker.start({ roles: ['worker'] })
    await until(async () => {
      const { depth } = await worker.operator.queue('default')
      return depth.completed === 48
    })
    const seen = new Set<string>()
    let cursor: string | undefined
    do {
      const page = await worker.operator.tasks({ limit: 7, cursor })
      for (const { id } of page.items) seen.add(id)
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(seen.size).toBe(48)
  })
}

test('a repeat meets its first by the former number, and another payload under its id is refused', async () => {
  const withPartitions = configs()
  const first = await kernelOf(withPartitions(4))
  await first.start({ roles: ['producer'] })
  const ids = Array.from({ length: 12 }, (_, n) => `order-${n}`)
  for (const taskId of ids) await first.client.enqueue('add', { a: 1, b: 2 }, { taskId })
  const second = await kernelOf(withPartitions(3))
  await second.start({ roles: ['producer'] })
  for (const taskId of ids) {
    const again = await second.client.enqueue('add', { a: 1, b: 2 }, { taskId })
    expect(again).toMatchObject({ id: taskId, duplicate: true, state: 'waiting' })
    await expect(second.client.enqueue('add', { a: 1, b: 3 }, { taskId })).rejects.toMatchObject({
      code: 'payload_differs',
    })
  }
  expect((await second.operator.queue('default')).depth.waiting).toBe(12)
})

test('what ran by the former number is not run again, though no record of it is kept', async () => {
  const withPartitions = configs()
  const keepingNone = (partitions: number): Config => ({
    ...withPartitions(partitions),
    defaults: { retention: { completed: { count: 0 } } },
  })
  const first = await kernelOf(keepingNone(4))
  await first.start()
  const ids = Array.from({ length: 12 }, (_, n) => `order-${n}`)
  const payload = { a: 1, b: 2 }
  for (const taskId of ids) await first.client.enqueue('add', payload, { taskId })
  await first.client.enqueueMany('add', numbers(12), { idempotencyKey: 'all' })
  await until(async () => (await first.operator.stats()).total.completed === 24)
  await first.stop()

  const second = await kernelOf(keepingNone(3))
  await second.start()
  for (const taskId of ids) {
    const again = await second.client.enqueue('add', payload, { taskId })
    expect(again).toMatchObject({ id: taskId, duplicate: true, state: 'completed' })
  }
  const all = await second.client.enqueueMany('add', numbers(12), { idempotencyKey: 'all' })
  expect(all.every(({ duplicate }) => duplicate)).toBe(true)
  await expect(
    second.client.enqueueMany('add', numbers(13), { idempotencyKey: 'all' }),
  ).rejects.toMatchObject({ code: 'payload_differs' })
  expect((await second.operator.stats()).total).toMatchObject({ enqueued: 24, completed: 24 })
})

test('dead letters of the former number are listed and sent back', async () => {
  const withPartitions = configs()
  const first = await kernelOf(withPartitions(4))
  await first.start()
  for (let n = 0; n < 8; n++) await first.client.enqueue('fail', {})
  await until(async () => (await first.operator.queue('default')).depth.dead === 8)
  await first.stop()
  const second = await kernelOf(withPartitions(1))
  await second.start({ roles: ['producer'] })
  expect(await second.operator.deadLetters()).toEqual([{ key: 'dead', count: 8 }])
  expect((await second.operator.deadLetter('dead', {})).items).toHaveLength(8)
  expect(await second.operator.requeueDead('dead', {})).toEqual({ requeued: 8, skipped: 0 })
  expect((await second.operator.queue('default')).depth).toMatchObject({ dead: 0, waiting: 8 })
})

test('a client without the config finds tasks by the former number too', async () => {
  const withPartitions = configs()
  const first = await kernelOf(withPartitions(4))
  await first.start({ roles: ['producer'] })
  const { id } = await first.client.enqueue('add', { a: 1, b: 2 }, { taskId: 'kept' })
  const second = await kernelOf(withPartitions(1))
  await second.start({ roles: ['producer'] })
  const { redis } = withPartitions(1)
  const client = createClient({ redis })
  try {
    expect(await client.task(id)).toMatchObject({ id, state: 'waiting' })
    const again = await client.enqueue('add', { a: 1, b: 2 }, { taskId: 'kept' })
    expect(again.duplicate).toBe(true)
  } finally {
    await client.close()
  }
})

test('boot tells of another number of partitions, and a paused queue stays paused', async () => {
  const withPartitions = configs()
  const first = await kernelOf(withPartitions(1))
  await first.start({ roles: ['producer'] })
  await first.client.enqueueMany('add', numbers(3))
  await first.operator.pause('default')
  const log = keepingLog()
  const second = await kernelOf(withPartitions(4), { log })
  await second.start({ roles: ['producer'] })
  expect(log.lines.join('\n')).toMatch(/another number of partitions than before/)
  await second.client.enqueueMany('add', numbers(3))
  const worker = await kernelOf(withPartitions(4))
  await worker.start({ roles: ['worker'] })
  await until(async () => (await worker.operator.workers()).length === 5)
  expect(await worker.operator.queue('default')).toMatchObject({
    paused: true,
    depth: { waiting: 6, completed: 0 },
  })
  await worker.operator.resume('default')
  await until(async () => (await worker.operator.queue('default')).depth.completed === 6)
})

test('a former number is worked while it is in use or holds tasks, and forgotten once it is empty', async () => {
  const clock = { time: 1_764_000_000_000 }
  const broker = createRedisBroker({
    connection: { url: testRedisUrl() },
    prefix: testPrefix(),
    commandTimeout: 5000,
    allowEviction: false,
    log: silentLog,
    clock: { now: () => clock.time, monotonic: () => clock.time },
  })
  await broker.open()
  try {
    const limit = { age: 1000, count: 10 }
    const retention = { completed: limit, dead: limit, cancelled: limit }
    const queues = new Map([
      ['q', { concurrency: 1, partitions: 1, weight: 1, limits: {}, retention, given: {} }],
    ])
    const look = () => lookAtFormer(broker, queues)
    const part = { queue: 'q', index: 1, of: 2 }
    await broker.publish({ types: [], queues: [{ queue: 'q', partitions: 2 }] })
    await broker.publish({ types: [], queues: [{ queue: 'q', partitions: 1 }] })
    expect((await look()).map(({ working }) => working)).toEqual([true, true])

    const body = { type: 'add', payload: {}, enqueuedAt: clock.time, overrides: {}, tags: [] }
    const task = {
      id: 'a',
      priority: 'normal',
      body,
      deadLetter: 'dead',
      fingerprint: 'f',
    } as const
    await broker.enqueue(part, [task], false)
    clock.time += 120_000
    expect(await look()).toEqual([
      { partition: { queue: 'q', index: 0, of: 2 }, working: false },
      { partition: part, working: true },
    ])

    await broker.cancel(part, ['a'])
    expect((await look()).map(({ working }) => working)).toEqual([false, false])
    await broker.prune(part, retention)
    clock.time += 60_000
    await broker.prune(part, retention)
    expect(await broker.counts(part)).toMatchObject({ depth: { cancelled: 0 }, remembered: 1 })
    await look()
    expect(await broker.layouts()).toHaveLength(2)

    clock.time += 25 * 3_600_000
    await broker.prune(part, retention)
    expect(await broker.counts(part)).toMatchObject({ remembered: 0 })
    await look()
    expect(await broker.layouts()).toMatchObject([{ queue: 'q', partitions: 1 }])
    expect(await look()).toEqual([])
  } finally {
    await broker.close()
  }
})
