import { expect, test } from 'vitest'
import { Client } from '../../src/client/client.js'
import {
  accepted,
  away,
  brokerOf,
  clock,
  directoryOf,
  entry,
  full,
  recordingBroker,
  unanswered,
} from './fake-broker.js'

const failing =
  (...errors: (() => Error)[]) =>
  (call: number) => {
    const error = errors[call - 1]
    if (error !== undefined) throw error()
  }

const clientOn = (broker: ReturnType<typeof recordingBroker>['broker']) =>
  new Client({ broker, directory: directoryOf(entry()), clock })

test('a call that Redis did not take is repeated as a repeat, under the same ids', async () => {
  const { broker, calls } = recordingBroker(failing(away, unanswered))
  const task = await clientOn(broker).enqueue('noop', {})
  expect(calls.map(({ repeat }) => repeat)).toEqual([false, true, true])
  expect(new Set(calls.map(({ tasks }) => tasks[0]?.id))).toEqual(new Set([task.id]))
})

test('a generated id that a repeat finds is no duplicate', async () => {
  const { broker } = recordingBroker(failing(unanswered), (tasks, repeat) =>
    accepted(tasks).map((each) => ({ ...each, duplicate: repeat })),
  )
  expect(await clientOn(broker).enqueue('noop', {})).toMatchObject({ duplicate: false })
})

test('when Redis stays away the caller hears that nothing was written', async () => {
  const { broker, calls } = recordingBroker(failing(away, away, away))
  await expect(clientOn(broker).enqueue('noop', {}, { taskId: 'a7' })).rejects.toMatchObject({
    code: 'store_away',
    message: "Redis did not take the call: nothing of task 'a7' was written; it can be repeated",
  })
  expect(calls).toHaveLength(3)
})

test('one answer missing among refusals leaves a doubt, and the id to repeat with', async () => {
  const { broker } = recordingBroker(failing(unanswered, away, away))
  await expect(clientOn(broker).enqueue('noop', {}, { taskId: 'a7' })).rejects.toMatchObject({
    code: 'store_unknown',
    message: expect.stringContaining(
      "task 'a7' may have been written; repeat with the same taskId 'a7'",
    ),
  })
})

test('a full Redis is not asked again', async () => {
  const { broker, calls } = recordingBroker(failing(full))
  await expect(clientOn(broker).enqueue('noop', {})).rejects.toMatchObject({
    code: 'store_full',
    message: expect.stringContaining('nothing of task'),
  })
  expect(calls).toHaveLength(1)
})

test('a repeat that is not answered ends at the deadline', async () => {
  const broker = brokerOf({
    enqueue: async (_, __, repeat) => {
      if (!repeat) throw unanswered()
      return await new Promise(() => undefined)
    },
  })
  const client = new Client({ broker, directory: directoryOf(entry()), clock, deadline: 150 })
  const start = clock.monotonic()
  await expect(client.enqueue('noop', {})).rejects.toMatchObject({ code: 'store_unknown' })
  expect(clock.monotonic() - start).toBeLessThan(1000)
})

test('a batch that failed midway says how much of it is written', async () => {
  const { broker } = recordingBroker((call) => {
    if (call > 2) throw full()
  })
  const many = clientOn(broker).enqueueMany('noop', new Array(600).fill({}), {
    idempotencyKey: 'k',
  })
  await expect(many).rejects.toMatchObject({
    code: 'store_unknown',
    message: expect.stringMatching(
      /251 of the 600 tasks were written, the others not; repeat with the same idempotencyKey/,
    ),
  })
})

test('a batch whose first task alone is written does not say that nothing is', async () => {
  const { broker } = recordingBroker((call) => {
    if (call > 1) throw full()
  })
  const many = clientOn(broker).enqueueMany('noop', [1, 2, 3], { idempotencyKey: 'k' })
  await expect(many).rejects.toMatchObject({
    code: 'store_unknown',
    message: expect.stringMatching(/1 of the 3 tasks were written, the others not/),
  })
})

test('what waits behind a Redis that is away hears of it with those before', async () => {
  const { broker, calls } = recordingBroker(() => {
    throw away()
  })
  const many = clientOn(broker).enqueueMany('noop', new Array(5000).fill({}))
  await expect(many).rejects.toMatchObject({ code: 'store_away' })
  expect(calls.length).toBeLessThanOrEqual(12)
})

test('a look-up that failed before the send has written nothing', async () => {
  const broker = brokerOf({
    now: async () => {
      throw unanswered()
    },
  })
  await expect(
    clientOn(broker).enqueue('noop', {}, { runAt: 'tomorrow 8am' }),
  ).rejects.toMatchObject({
    code: 'store_away',
    message: expect.stringContaining('nothing was written'),
  })
})

test('one fault of the broker reaches every caller of the call, and the next call goes on', async () => {
  const { broker } = recordingBroker(failing(() => new TypeError('a bug')))
  const client = clientOn(broker)
  const both = await Promise.allSettled([client.enqueue('noop', {}), client.enqueue('noop', {})])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await client.enqueue('noop', {})).toMatchObject({ state: 'waiting' })
})
