import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Client } from '../../src/client/client.js'
import { partitionsOf } from '../../src/client/placement.js'
import { testPrefix } from '../support/redis.js'
import { brokerOf, clock, directoryOf, entry, recordingBroker } from './fake-broker.js'
import { RedisStage } from './redis-stage.js'

let before: RedisStage
let after: RedisStage
beforeEach(async () => {
  const prefix = testPrefix()
  before = new RedisStage({ prefix, wide: 4 })
  after = new RedisStage({ prefix, wide: 3 })
  for (const stage of [before, after]) {
    await stage.open()
    await stage.publish()
  }
})
afterEach(async () => {
  await before.close()
  await after.close()
})

const images = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ url: `https://example.com/${n}` }))
const [image, other] = images(2)
const ids = Array.from({ length: 12 }, (_, n) => `mine-${n}`)

const waiting = async () => (await after.operator.queue('wide')).depth.waiting

/** Ends what waits by the former number, and takes it out of the store. */
async function endAndPrune(): Promise<void> {
  const nothing = { age: 1000, count: 0 }
  for (const partition of partitionsOf('wide', 4)) {
    const { tasks } = await before.broker.list(partition, { state: 'waiting', limit: 1000 })
    await before.broker.cancel(
      partition,
      tasks.map(({ id }) => id),
    )
    await before.broker.prune(partition, { completed: nothing, dead: nothing, cancelled: nothing })
  }
}

test('ids are known by the former number though their records are gone', async () => {
  for (const taskId of ids) await before.client.enqueue('image', image, { taskId })
  await endAndPrune()
  for (const taskId of ids) {
    expect(await after.client.enqueue('image', image, { taskId })).toEqual({
      id: taskId,
      type: 'image',
      queue: 'wide',
      state: 'cancelled',
      duplicate: true,
    })
    await expect(after.client.enqueue('image', other, { taskId })).rejects.toMatchObject({
      code: 'payload_differs',
      issues: [{ path: 'taskId' }],
    })
  }
  expect(await waiting()).toBe(0)
})

test('a repeat by the former number tells the time and the zone of its first', async () => {
  for (const taskId of ids) {
    const first = await before.client.enqueue('image', image, { taskId, runAt: 'today 5pm' })
    const again = await after.client.enqueue('image', image, { taskId, runAt: 'tomorrow 5pm' })
    expect(again).toMatchObject({ duplicate: true, runAt: first.runAt, tz: 'Europe/Rome' })
  }
})

test('a text time that has passed is refused only where the former number knows no first', async () => {
  const options = { runAt: 'today 5pm' }
  for (const taskId of ids) await before.client.enqueue('image', image, { ...options, taskId })
  before.now += 6 * 3_600_000
  after.now = before.now
  for (const taskId of ids) {
    const again = await after.client.enqueue('image', image, { ...options, taskId })
    expect(again).toMatchObject({ id: taskId, duplicate: true, state: 'scheduled' })
  }
  await expect(
    after.client.enqueue('image', image, { ...options, taskId: 'new' }),
  ).rejects.toMatchObject({ code: 'bad_time' })
})

describe.each([
  ['as it lies there', () => Promise.resolve()],
  ['whose records are gone', endAndPrune],
])('a batch under a key by the former number, %s,', (_, meanwhile) => {
  // Of many keys at least one has its place elsewhere by the new number.
  const keys = ids

  test('is met by its repeat, and refused longer, shorter or with another order', async () => {
    for (const idempotencyKey of keys) {
      await before.client.enqueueMany('image', images(3), { idempotencyKey })
    }
    await meanwhile()
    const lying = await waiting()
    for (const idempotencyKey of keys) {
      const repeat = await after.client.enqueueMany('image', images(3), { idempotencyKey })
      expect(repeat.map(({ duplicate }) => duplicate)).toEqual([true, true, true])
      for (const payloads of [images(4), images(2), images(1), images(3).reverse()]) {
        await expect(
          after.client.enqueueMany('image', payloads, { idempotencyKey }),
        ).rejects.toMatchObject({
          code: 'payload_differs',
          message: 'idempotencyKey: this key was used before, for another batch',
          issues: [{ path: 'idempotencyKey' }],
        })
      }
    }
    expect(await waiting()).toBe(lying)
  })

  test('of any types is met, and refused where its first is another one', async () => {
    const email = { type: 'email', payload: { to: 'user@example.com' } }
    const all = [{ type: 'image', payload: image }, email]
    for (const idempotencyKey of keys) await before.client.enqueueAll(all, { idempotencyKey })
    await meanwhile()
    for (const idempotencyKey of keys) {
      const repeat = await after.client.enqueueAll(all, { idempotencyKey })
      expect(repeat.map(({ duplicate }) => duplicate)).toEqual([true, true])
      await expect(
        after.client.enqueueAll(all.toReversed(), { idempotencyKey }),
      ).rejects.toMatchObject({ code: 'payload_differs', issues: [{ path: 'idempotencyKey' }] })
    }
  })
})

test('a batch under a key that was cut midway is completed by the new number', async () => {
  const options = { idempotencyKey: 'k' }
  const first = await before.client.enqueueMany('image', images(600), options)
  for (const { id } of first.slice(200, 520)) {
    await before.client.cancel(id, 'wide')
    await before.operator.erase(id, 'wide')
  }
  const again = await after.client.enqueueMany('image', images(600), options)
  expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id))
  expect(again.filter(({ duplicate }) => duplicate)).toHaveLength(280)
  expect(await waiting()).toBe(600)
})

test('a batch is looked up by the former number in few calls of 500', async () => {
  const asked: number[] = []
  const { broker } = recordingBroker()
  const counting = brokerOf({
    enqueue: (...call) => broker.enqueue(...call),
    remembered: async (_, some) => {
      asked.push(some.length)
      return some.map(() => undefined)
    },
  })
  const directory = { ...directoryOf(entry({ partitions: 1 })), former: async () => [4] }
  const client = new Client({ broker: counting, directory, clock })
  const payloads = Array.from({ length: 1200 }, (_, n) => n)
  expect(await client.enqueueMany('noop', payloads, { idempotencyKey: 'k' })).toHaveLength(1200)
  expect(asked).toEqual([500, 500, 200])
})
