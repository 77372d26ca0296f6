import { afterEach, beforeEach, expect, test } from 'vitest'
import { partitionsOf } from '../../src/client/placement.js'
import { RedisStage, to } from './redis-stage.js'

const day = 86_400_000

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
  await stage.join()
})
afterEach(() => stage.close())

/** Completes so many tasks of `main`, and takes them out of the store. */
async function endAndPrune(count: number): Promise<void> {
  for (const task of await stage.lease(count)) {
    await stage.settle(task, { name: 'complete', result: null })
  }
  await pruneAll()
}

/** Takes every ended task of `main` out of the store, as its retention does. */
async function pruneAll(): Promise<void> {
  const [main] = partitionsOf('main', 1)
  if (main === undefined) throw new Error('main has one partition')
  const nothing = { age: day, count: 0 }
  await stage.broker.prune(main, { completed: nothing, dead: nothing, cancelled: nothing })
}

const options = [
  ['taskId', { taskId: 'mine' }],
  ['idempotencyKey', { idempotencyKey: 'mine' }],
  ['taskId with a time', { taskId: 'mine', delay: '1s' }],
] as const

test.each(options)(
  'a repeat by %s finds its first, though retention took that',
  async (_, option) => {
    const first = await stage.client.enqueue('email', to(1), option)
    expect(first.duplicate).toBe(false)
    stage.now += 2000
    await stage.operator.promote(first.id)
    const [task] = await stage.lease(1)
    if (!task) throw new Error('a task was expected')
    await stage.settle(task, { name: 'complete', result: 1 })
    await pruneAll()
    expect(await stage.operator.task(first.id)).toBeUndefined()
    stage.now += day - 3000
    await pruneAll()
    expect(await stage.client.enqueue('email', to(1), option)).toMatchObject({
      id: first.id,
      duplicate: true,
      state: 'completed',
    })
    await expect(stage.client.enqueue('email', to(2), option)).rejects.toMatchObject({
      code: 'payload_differs',
    })
    expect((await stage.operator.queue('main')).depth).toMatchObject({ waiting: 0, scheduled: 0 })
    stage.now += 5000
    await pruneAll()
    expect(await stage.client.enqueue('email', to(2), option)).toMatchObject({ duplicate: false })
  },
)

test('a dead task that retention took is remembered as dead', async () => {
  const first = await stage.client.enqueue('email', to(1), { taskId: 'mine' })
  await stage.bury(1)
  await pruneAll()
  expect(await stage.client.enqueue('email', to(1), { taskId: 'mine' })).toMatchObject({
    id: first.id,
    duplicate: true,
    state: 'dead',
  })
})

test('a repeat whose text time has passed finds its first, though retention took that', async () => {
  const option = { taskId: 'mine', runAt: 'today 5pm' }
  await stage.client.enqueue('email', to(1), option)
  stage.now += 6 * 3_600_000
  await stage.operator.promote('mine')
  await endAndPrune(1)
  expect(await stage.client.enqueue('email', to(1), option)).toEqual({
    id: 'mine',
    type: 'email',
    queue: 'main',
    state: 'completed',
    duplicate: true,
  })
  await expect(stage.client.enqueue('email', to(2), option)).rejects.toMatchObject({
    code: 'payload_differs',
  })
})

const email = (n: number) => ({ type: 'email', payload: to(n) })
const image = { type: 'image', payload: { url: 'https://example.com' } }
const depths = () => Promise.all(['main', 'wide'].map((each) => stage.operator.queue(each)))
const waiting = async () => (await depths()).map(({ depth }) => depth.waiting)

test('an id that is remembered for something else refuses a whole batch of any types', async () => {
  await stage.client.enqueue('email', to(1), { taskId: 'mine' })
  await endAndPrune(1)
  const mine = (n: number) => ({ ...email(n), options: { taskId: 'mine' } })
  await expect(stage.client.enqueueAll([email(5), image, mine(2)])).rejects.toMatchObject({
    code: 'payload_differs',
    issues: [{ path: '2.taskId' }],
  })
  expect(await waiting()).toEqual([0, 0])
  expect(await stage.client.enqueueAll([email(5), mine(1)])).toMatchObject([
    { duplicate: false },
    { id: 'mine', duplicate: true, state: 'completed' },
  ])
})

test('a key of another batch is known by its first, which lay in another queue and is gone', async () => {
  const options = { idempotencyKey: 'k' }
  await stage.client.enqueueAll([email(1), image], options)
  await endAndPrune(1)
  await expect(stage.client.enqueueAll([image, email(1)], options)).rejects.toMatchObject({
    code: 'payload_differs',
    issues: [{ path: 'idempotencyKey' }],
  })
  expect(await waiting()).toEqual([0, 1])
})
