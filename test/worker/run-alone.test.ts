import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import type { NewTask } from '../../src/core/broker.js'
import { systemClock } from '../../src/core/clock.js'
import { testRedisUrl, until } from '../support/redis.js'
import { WorkerStage } from './stage.js'

/** Makes a task suspect, with so many deaths and losses. */
async function suspect(stage: WorkerStage, id: string, deaths = 0, losses = 2): Promise<void> {
  const redis = new Redis(testRedisUrl())
  onTestFinished(() => redis.disconnect())
  await redis.hset(`${stage.prefix}:{default}:attempts`, id, `0 ${losses} ${deaths} 0\n`)
}

const timedOutAfter = (timeout: number): Partial<NewTask> => ({
  body: {
    type: 'job',
    payload: null,
    enqueuedAt: systemClock.now(),
    overrides: { timeout, attempts: 1 },
    tags: [],
  },
})

const complete = { kind: 'ended', outcome: { name: 'complete', result: 'alone' } } as const

/** Resolves with the reason of the abort. */
const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })

test('that no process can be started for a suspect task is no death that buries by maxCrashes', async () => {
  const stage = await WorkerStage.open()
  const id = await stage.add()
  await suspect(stage, id)
  let starts = 0
  stage.start({
    handle: () => 'in this process',
    isolate: async () => {
      starts += 1
      if (starts < 3) throw new Error('spawn EAGAIN')
      return complete
    },
  })
  expect(await stage.reached(id, 'completed')).toMatchObject({ result: 'alone', losses: 4 })
  expect(starts).toBe(3)
})

test('a suspect task that no process can run is buried in the end, with the reason', async () => {
  const stage = await WorkerStage.open()
  const id = await stage.add()
  await suspect(stage, id, 0, 18)
  let starts = 0
  const worker = stage.start({
    handle: () => 'in this process',
    isolate: () => {
      starts += 1
      throw new Error('the pool is dry')
    },
  })
  // A worker that stops rests no longer: the failed start is told at once.
  await until(() => starts === 1)
  await worker.stop()
  expect(await stage.reached(id, 'waiting')).toMatchObject({ attempts: [] })
  stage.start({ handle: () => 'in this process', isolate: () => Promise.reject('the pool is dry') })
  expect(await stage.reached(id, 'dead')).toMatchObject({
    attempts: [
      {
        outcome: 'bury',
        error: { code: 'lost', message: 'no process of its own could run it: the pool is dry' },
      },
    ],
  })
})

test('deaths of the process that ran it alone bury a task with its last words', async () => {
  const stage = await WorkerStage.open()
  const id = await stage.add()
  await suspect(stage, id)
  let deaths = 0
  stage.start({
    handle: () => 'in this process',
    isolate: async (_task, _context, begins) => {
      begins()
      deaths += 1
      return { kind: 'died', words: `death ${deaths}` }
    },
  })
  expect(await stage.reached(id, 'dead')).toMatchObject({
    attempts: [{ outcome: 'bury', error: { code: 'crashed', message: 'death 2' } }],
  })
})

test('the timeout of a task that runs alone counts from when its handler begins', async () => {
  const stage = await WorkerStage.open()
  const ids = [await stage.add(null, timedOutAfter(150)), await stage.add(null, timedOutAfter(150))]
  const [slow = '', plain = ''] = ids
  await suspect(stage, slow)
  let begin: () => void = () => undefined
  const reasons: unknown[] = []
  stage.start({
    handle: () => new Promise(() => undefined),
    isolate: async (_, { signal }, begins) => {
      await new Promise<void>((resolve) => (begin = resolve))
      begins()
      reasons.push(await aborted(signal))
      return { kind: 'died', words: 'killed for its timeout' }
    },
  })
  // Its neighbour has come to the end of the same timeout.
  await stage.reached(plain, 'dead')
  expect(await stage.find(slow)).toMatchObject({ state: 'active', attempts: [] })
  begin()
  expect(await stage.reached(slow, 'dead')).toMatchObject({
    attempts: [{ error: { code: 'timeout' } }],
  })
  await until(() => reasons.length === 1)
  expect(reasons[0]).toMatchObject({ code: 'timeout' })
})

test('a task that runs alone is told of its cancel, and what its process comes to is not heard', async () => {
  const stage = await WorkerStage.open()
  const id = await stage.add()
  await suspect(stage, id)
  const reasons: unknown[] = []
  stage.start({
    lease: 1000,
    concurrency: 1,
    handle: () => 'next',
    isolate: async (_, { signal }, begins) => {
      begins()
      reasons.push(await aborted(signal))
      return { kind: 'died', words: 'killed' }
    },
  })
  await stage.reached(id, 'active')
  await stage.broker.cancel(stage.partition, [id])
  expect(await stage.reached(await stage.add(), 'completed')).toMatchObject({ result: 'next' })
  expect(reasons).toMatchObject([{ code: 'wrong_state' }])
  expect(await stage.find(id)).toMatchObject({
    state: 'cancelled',
    attempts: [{ outcome: 'cancel' }],
  })
})

test.each([true, false])(
  'a stop of the whole group buries no task that runs alone, begun: %s',
  async (begun) => {
    const stage = await WorkerStage.open()
    const id = await stage.add()
    // One more death, or one more loss, would bury it.
    await suspect(stage, id, 1, 19)
    let stop: () => void = () => undefined
    const stopped = new Promise<void>((resolve) => (stop = resolve))
    const worker = stage.start({
      handle: () => 'in this process',
      isolate: async (_task, _context, begins) => {
        if (begun) begins()
        await stopped
        return { kind: 'stopped', begun, words: 'ended by signal SIGTERM' }
      },
    })
    await stage.reached(id, 'active')
    const ended = worker.stop()
    stop()
    await ended
    expect(await stage.reached(id, 'waiting')).toMatchObject({ attempts: [], losses: 19 })
  },
)

test('a signal that ends its process alone counts as any death, or as a failed start', async () => {
  const stage = await WorkerStage.open()
  const ids = [await stage.add(), await stage.add()]
  const [begun = '', never = ''] = ids
  await suspect(stage, begun, 1)
  await suspect(stage, never, 0, 19)
  stage.start({
    handle: () => 'in this process',
    isolate: async (task, _context, begins) => {
      if (task.id === begun) begins()
      return { kind: 'stopped', begun: task.id === begun, words: 'ended by signal SIGTERM' }
    },
  })
  expect(await stage.reached(begun, 'dead')).toMatchObject({
    attempts: [{ error: { code: 'crashed', message: 'ended by signal SIGTERM' } }],
  })
  expect(await stage.reached(never, 'dead')).toMatchObject({
    attempts: [{ error: { code: 'lost' } }],
  })
})

test('the end of a process that was killed for a shutdown is no death of its task', async () => {
  const stage = await WorkerStage.open()
  const id = await stage.add()
  await suspect(stage, id, 1)
  const worker = stage.start({
    handle: () => 'in this process',
    isolate: async (_, { signal }, begins) => {
      begins()
      await aborted(signal)
      return { kind: 'died', words: 'killed' }
    },
  })
  await stage.reached(id, 'active')
  await worker.stop()
  expect(await stage.reached(id, 'waiting')).toMatchObject({ attempts: [] })
})
