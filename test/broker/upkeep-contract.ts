import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import type { NewTask } from '../../src/core/broker.js'
import { newLife } from '../../src/core/life.js'
import type { Priority } from '../../src/core/task.js'
import { error, Stage } from './stage.js'

const day = 86_400_000
const lease = 30_000
const retention = (count: number) => ({
  completed: { age: day, count },
  dead: { age: day, count },
  cancelled: { age: day, count },
})

/** What keeps a store sound: leases, rescues, rounds of retention, large calls; run on each broker. */
export function upkeepContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.open()
  })
  afterEach(() => stage.broker.close())

  const rescue = () => stage.broker.rescue(stage.partition, lease)
  const prune = (count = 1000) => stage.broker.prune(stage.partition, retention(count))
  const addMany = async (amount: number, parts: Partial<NewTask> = {}) => {
    const tasks = Array.from({ length: amount }, () => stage.task(parts))
    for (let i = 0; i < amount; i += 250) {
      await stage.broker.enqueue(stage.partition, tasks.slice(i, i + 250), false)
    }
    return tasks.map(({ id }) => id)
  }

  describe('a cycle', () => {
    test('that wants more than a script can hold leases a part and loses none', async () => {
      await addMany(5000)
      const leased = await stage.lease(5000)
      expect(leased).toHaveLength(1000)
      const { depth } = await stage.broker.counts(stage.partition)
      expect(depth).toMatchObject({ waiting: 4000, active: 1000 })
    })

    test('that has much to say of failures settles each once, beside completions and a lease', async () => {
      await addMany(700)
      const leased = await stage.lease(500)
      const settled = leased.map((task, i) =>
        stage.settlement(
          task,
          i % 2 ? { name: 'retry', after: 60_000, error } : { name: 'complete', result: 1 },
        ),
      )
      const reply = await stage.cycle({ settled, wanted: 10 })
      expect([reply.leased.length, reply.refused]).toEqual([10, []])
      const again = await stage.cycle({ settled })
      expect([...again.refused].sort()).toEqual(leased.map(({ id }) => id).sort())
      const { depth } = await stage.broker.counts(stage.partition)
      expect(depth).toMatchObject({ completed: 250, retryable: 250, waiting: 190, active: 10 })
      const { total } = await stage.broker.stats(stage.partition, 1)
      expect(total).toMatchObject({ completed: 250, retried: 250 })
    })

    test('buries a task whose header cannot be read as it would any other', async () => {
      const id = await stage.add({ priority: 'unknown' as Priority, deadLetter: 'other' })
      const healthy = await stage.add()
      const [broken, task] = await stage.lease(2)
      expect(broken).toMatchObject({ id, deadLetter: 'dead' })
      expect(broken?.broken).toContain('cannot be read')
      expect(task?.id).toBe(healthy)
      if (!broken) throw new Error('two tasks were expected')
      await stage.settle(broken, { name: 'bury', error })
      expect(await stage.broker.requeue(stage.partition, [id])).toEqual([
        { ok: true, from: 'dead' },
      ])
      await stage.settle(await stage.leaseOne(), { name: 'bury', error })
      expect(await prune(0)).toMatchObject({ dead: 1 })
      expect(await stage.broker.deadLetters(stage.partition)).toEqual([])
    })
  })

  describe('a process that is known to be gone', () => {
    test('loses its tasks whatever its lease and the grace, and no other process does', async () => {
      const [own, other] = [newLife(), newLife()]
      const ids = await addMany(2)
      for (const worker of [`here:7:${own}01`, `here:7:${other}01`]) {
        await stage.join(worker, lease)
        await stage.lease(1, worker)
      }
      const gone = [newLife(), own]
      expect(await stage.broker.rescue(stage.partition, lease, gone)).toEqual({
        workers: [`here:7:${own}01`],
        rescued: 1,
        buried: 0,
      })
      const tasks = await stage.broker.find(stage.partition, ids)
      expect(tasks.map((task) => [task?.state, task?.losses])).toEqual([
        ['waiting', 1],
        ['active', 0],
      ])
    })
  })

  describe('the grace of leases', () => {
    test('is given when the last look is older than half a lease, and not at just half', async () => {
      await rescue()
      await stage.join('first', 10)
      stage.now += lease / 2
      expect((await rescue()).workers).toEqual(['first'])
      await stage.join('second', 10)
      stage.now += lease / 2 + 1
      expect((await rescue()).workers).toEqual([])
    })

    test('is of one whole lease from the look that found the gap', async () => {
      const id = await stage.add()
      await stage.leaseOne()
      await rescue()
      stage.now += 10 * lease
      await rescue()
      for (let waited = 0; waited < lease; waited += lease / 3) {
        expect(await stage.state(id)).toBe('active')
        stage.now += lease / 3
        await rescue()
      }
      stage.now += 1
      expect(await rescue()).toMatchObject({ workers: ['w1'], rescued: 1 })
    })

    test('is not for who is marked dead already', async () => {
      await rescue()
      await stage.join('late', 10)
      stage.now += 11
      expect((await rescue()).workers).toEqual(['late'])
      stage.now += 10 * lease
      await rescue()
      expect(await stage.tryCycle({ worker: 'late' })).toEqual({ lost: true })
    })
  })

  describe('a worker', () => {
    test('hears which run to stop, by its fence', async () => {
      const id = await stage.add()
      const first = await stage.leaseOne()
      const heard: unknown[] = []
      const keeper = stage.broker.keeper({ lease: 400, maxBlocked: 0, log: () => undefined })
      const told = new Promise<void>((resolve) =>
        keeper.hold({
          partition: stage.partition,
          worker: stage.worker,
          onLost: () => undefined,
          onStop: (cancelled) => {
            heard.push(...cancelled)
            resolve()
          },
        }),
      )
      await stage.broker.cancel(stage.partition, [id])
      await stage.broker.requeue(stage.partition, [id])
      const second = await stage.leaseOne()
      await told
      await keeper.close()
      expect(heard).toEqual([{ id, fence: first.fence }])
      expect(second.fence).not.toBe(first.fence)
    })
  })

  describe('a round of retention', () => {
    test('forgets all own ids and timed keys whose time is over, however many', async () => {
      stage.keep = 0
      const tasks = Array.from({ length: 600 }, (_, n) =>
        stage.task({ fingerprint: 'f', unique: { key: `k${n}`, for: 1000 } }),
      )
      for (let i = 0; i < 600; i += 200) {
        await stage.broker.enqueue(stage.partition, tasks.slice(i, i + 200), false)
        const settled = (await stage.lease(200)).map((task) =>
          stage.settlement(task, { name: 'complete', result: 1 }),
        )
        await stage.cycle({ settled })
      }
      stage.now += day + 1
      await prune(0)
      const last = tasks.at(-1) as NewTask
      const [again] = await stage.broker.enqueue(stage.partition, [last], false)
      expect(again?.duplicate).toBe(false)
    })
  })
}
