import { expect, test } from 'vitest'
import { Client } from '../../src/client/client.js'
import { clock, directoryOf, entry, recordingBroker } from './fake-broker.js'

const range = (count: number) => Array.from({ length: count }, (_, n) => n)

test('a hundred tasks enqueued in one turn go in one script call, each with its own promise', async () => {
  const { broker, calls } = recordingBroker()
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  const tasks = await Promise.all(range(100).map((n) => client.enqueue('noop', { n })))
  expect(calls).toHaveLength(1)
  expect(calls[0]?.repeat).toBe(false)
  expect(calls[0]?.tasks.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id))
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(100)
})

test('callers that go on as soon as they are answered are sent in halves', async () => {
  const { broker, calls } = recordingBroker(
    () => new Promise((resolve) => setImmediate(() => resolve())),
  )
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  const caller = async () => {
    for (const n of range(3)) await client.enqueue('noop', { n })
  }
  await Promise.all(range(100).map(caller))
  expect(calls.map(({ tasks }) => tasks.length)).toEqual([100, 50, 50, 50, 50])
})

test('a batch that fits in one call is never cut, however its caller goes on', async () => {
  const { broker, calls } = recordingBroker()
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  for (let n = 0; n < 3; n++) await client.enqueueMany('noop', range(100))
  expect(calls.map(({ tasks }) => tasks.length)).toEqual([100, 100, 100])
})

test('each partition has a call of its own', async () => {
  const { broker, calls } = recordingBroker()
  const directory = directoryOf(entry({ partitions: 4 }))
  const client = new Client({ broker, directory, clock })
  await Promise.all(range(200).map((n) => client.enqueue('noop', { n })))
  expect(calls.map(({ partition }) => partition.index).sort()).toEqual([0, 1, 2, 3])
})

test('a batch is sent in chunks of 250 and stays in its order', async () => {
  const { broker, calls } = recordingBroker()
  const client = new Client({ broker, directory: directoryOf(entry({ partitions: 4 })), clock })
  const tasks = await client.enqueueMany('noop', range(1100))
  expect(calls.map(({ tasks: chunk }) => chunk.length)).toEqual([250, 250, 250, 250, 100])
  const [first] = tasks
  const base = first?.id.replace(/\.0$/, '')
  expect(tasks.map(({ id }) => id)).toEqual(range(1100).map((n) => `${base}.${n}`))
  expect(calls.flatMap(({ tasks: chunk }) => chunk.map(({ body }) => body.payload))).toEqual(
    range(1100),
  )
})

test('what cannot be sent yet gathers, and all of it arrives', async () => {
  const waiting: (() => void)[] = []
  const { broker, calls } = recordingBroker(() => new Promise((go) => waiting.push(go)))
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const done: Promise<unknown>[] = []
  for (const n of range(12)) {
    done.push(client.enqueue('noop', { n }))
    await turn()
    await turn()
  }
  expect(calls.map(({ tasks }) => tasks.length)).toEqual([1, 1, 1, 1])
  while (calls.flatMap(({ tasks }) => tasks).length < 12) {
    for (const go of waiting.splice(0)) go()
    await turn()
  }
  for (const go of waiting.splice(0)) go()
  await Promise.all(done)
  expect(calls[4]?.tasks).toHaveLength(8)
})

test('a payload that is changed after the call is stored as it was', async () => {
  const { broker, calls } = recordingBroker()
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  const payload = { n: 0 }
  const all = range(3).map((n) => {
    payload.n = n
    return client.enqueue('noop', payload)
  })
  await Promise.all(all)
  expect(calls[0]?.tasks.map(({ body }) => body.payload)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
})

test('a closed client takes nothing, and waits for what it took', async () => {
  let answered = false
  const { broker } = recordingBroker(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    answered = true
  })
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  const taken = client.enqueue('noop', {})
  await client.close()
  expect(answered).toBe(true)
  await taken
  await expect(client.enqueue('noop', {})).rejects.toMatchObject({ code: 'closed' })
})
