import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import type { TaskEvent } from '../../src/core/event.js'
import { transitions } from '../../src/core/state.js'
import { error, Stage } from './stage.js'

const retention = { age: 86_400_000, count: 1000 }
const keepAll = { completed: retention, dead: retention, cancelled: retention }
const keepNone = {
  completed: { ...retention, count: 0 },
  dead: { ...retention, count: 0 },
  cancelled: { ...retention, count: 0 },
}

/** What is told of moves while somebody listens; run on each broker. */
export function eventsContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  let heardTo = ''
  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.open()
  })
  afterEach(() => stage.broker.close())

  const listen = async (ms = 60_000) => {
    heardTo = await stage.broker.listen(stage.partition, ms)
  }
  const entries = async () => {
    const range = { from: heardTo, to: '+', count: 1000 }
    const [, ...told] = await stage.broker.told(stage.partition, range)
    heardTo = told.at(-1)?.id ?? heardTo
    return told
  }
  const heard = async (): Promise<TaskEvent[]> =>
    (await entries()).flatMap(({ events }) => [...events])
  /** `transition state run N`, of one task. */
  const words = async (id: string) =>
    (await heard())
      .filter((event) => event.id === id)
      .map(({ transition, state, attempt }) =>
        [transition, state, ...(attempt ? [`run ${attempt}`] : [])].join(' '),
      )

  test('a task is told of from its enqueue to its end, in order', async () => {
    await listen()
    const id = await stage.add({ due: { in: 1000 } })
    stage.now += 2000
    const { leased } = await stage.cycle({ wanted: 1, promote: true })
    const [first] = leased
    if (!first) throw new Error('nothing was leased')
    await stage.settle(first, { name: 'retry', after: 0, error })
    stage.now += 10
    const [second] = (await stage.cycle({ wanted: 1, promote: true })).leased
    if (!second) throw new Error('nothing was leased')
    await stage.settle(second, { name: 'bury', error })
    await stage.broker.requeue(stage.partition, [id])
    await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
    await stage.broker.erase(stage.partition, [id])
    const seen = [
      'enqueue scheduled',
      ...['promote waiting', 'lease active run 1', 'retry retryable run 1'],
      ...['promote waiting', 'lease active run 2', 'bury dead run 2'],
      ...['requeue waiting', 'lease active run 1', 'complete completed run 1', 'prune gone'],
    ]
    expect(await words(id)).toEqual(seen)
  })

  test('an event says what is known of the task, also of one that is gone at once', async () => {
    stage.keep = 0
    await listen()
    const before = stage.now
    await stage.add()
    const lease = await stage.leaseOne()
    await stage.settle(lease, { name: 'complete', result: 1 })
    const rest = {
      id: lease.id,
      type: 'noop',
      queue: 'default',
      at: new Date(before).toISOString(),
    }
    expect(await heard()).toEqual([
      { ...rest, transition: 'enqueue', state: 'waiting' },
      { ...rest, transition: 'lease', state: 'active', attempt: 1 },
      { ...rest, transition: 'complete', state: 'completed', attempt: 1 },
      { ...rest, transition: 'prune', state: 'gone' },
    ])
  })

  test('what a full count pushes out while others complete is told', async () => {
    stage.keep = 2
    const complete = async () => {
      const id = await stage.add()
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
      return id
    }
    const first = await complete()
    const second = await complete()
    await listen()
    const retried = await stage.add()
    await stage.settle(await stage.leaseOne(), { name: 'retry', after: 0, error })
    stage.now += 10
    await complete()
    // The one that failed before goes by the long script, the other by the short one.
    const [again] = (await stage.cycle({ wanted: 1, promote: true })).leased
    if (again?.id !== retried) throw new Error('the one that failed was expected')
    await stage.settle(again, { name: 'complete', result: 1 })
    const told = (await heard()).filter(({ transition }) => transition === 'prune')
    expect(told.map(({ id, type, state }) => `${id} ${type} ${state}`)).toEqual([
      `${first} noop gone`,
      `${second} noop gone`,
    ])
  })

  test('every move of the table is told', async () => {
    await listen()
    await stage.bring('completed')
    await stage.bring('retryable')
    await stage.bring('dead')
    const { id } = await stage.bring('scheduled')
    await stage.broker.promote(stage.partition, [id])
    await stage.broker.cancel(stage.partition, [id])
    await stage.broker.requeue(stage.partition, [id])
    await stage.settle(await stage.leaseOne(), { name: 'release' })
    await stage.lease()
    await stage.broker.rescue(stage.partition, 30_000)
    stage.now += 40_000
    await stage.broker.rescue(stage.partition, 100_000)
    await stage.broker.cancel(stage.partition, [id])
    await stage.add({ expiresIn: 100 })
    stage.now += 200
    await listen()
    await stage.broker.prune(stage.partition, keepAll)
    await stage.broker.prune(stage.partition, keepNone)
    heardTo = '-'
    const names = new Set((await heard()).map(({ transition }) => transition))
    expect([...names].sort()).toEqual(Object.keys(transitions).sort())
  })

  test('a batch is one entry', async () => {
    await listen()
    const tasks = Array.from({ length: 50 }, () => stage.task())
    await stage.broker.enqueue(stage.partition, tasks, false)
    const leased = await stage.lease(50)
    const settled = leased.map((task) => stage.settlement(task, { name: 'complete', result: 1 }))
    await stage.cycle({ settled })
    const told = await entries()
    expect(told.map(({ events }) => events.length)).toEqual([50, 50, 50])
    expect(told[2]?.events.map(({ id }) => id)).toEqual(leased.map(({ id }) => id))
  })

  test('of a batch with repeats only the new tasks are told', async () => {
    const first = await stage.add()
    await listen()
    const fresh = stage.task({ due: { in: 5000 } })
    const again = { ...stage.task(), id: first }
    await stage.broker.enqueue(stage.partition, [again, fresh, stage.task()], true)
    const told = (await heard()).map(({ id, state }) => `${id === fresh.id} ${state}`)
    expect(told).toEqual(['false waiting', 'true scheduled'])
  })

  test('nothing is told where nobody listens any more, and a new listener hears of the gap', async () => {
    await listen(1000)
    await stage.add()
    expect(await heard()).toHaveLength(1)
    stage.now += 1001
    const lease = await stage.leaseOne()
    await stage.settle(lease, { name: 'complete', result: 1 })
    expect(await entries()).toEqual([])
    const last = heardTo
    await stage.broker.listen(stage.partition, 1000)
    await stage.broker.listen(stage.partition, 1000)
    heardTo = last
    expect((await entries()).map(({ begins }) => begins)).toEqual([true])
  })

  test('who follows is told as soon as something moves', async () => {
    await listen()
    const after = new Map([[stage.partition, heardTo]])
    const following = stage.broker.follow(after, 10_000, new AbortController().signal)
    const id = await stage.add()
    const told = [...(await following).values()].flat()
    expect(told.flatMap(({ events }) => events.map((event) => event.id))).toEqual([id])
  })

  test('who follows hears nothing more after the abort', async () => {
    await listen()
    const stop = new AbortController()
    const following = stage.broker.follow(
      new Map([[stage.partition, heardTo]]),
      60_000,
      stop.signal,
    )
    stop.abort()
    expect((await following).size).toBe(0)
  })
}
