import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import type { LimitsChange } from '../../src/core/limits.js'
import { error, Stage } from './stage.js'

/** What every broker must do for queues that have limits; run on each. */
export function limitsContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.open()
    // The first wait may end as soon as it is connected.
    await wait(50)
  })
  afterEach(() => stage.broker.close())

  const wait = (ms: number) => stage.broker.wait(stage.partition, ms, new AbortController().signal)
  const limit = (change: LimitsChange) => stage.broker.limit(stage.partition, change)
  const say = (limits: { rate?: string; maxActive?: number }) =>
    stage.broker.sayLimits(stage.partition, limits)
  const limits = async () => (await stage.broker.counts(stage.partition)).limits
  const fill = async (amount: number) => {
    const tasks = Array.from({ length: amount }, () => stage.task())
    await stage.broker.enqueue(stage.partition, tasks, false)
  }
  /** Whether a worker that waits would be woken now; takes the mark. */
  const marked = async () => {
    const began = performance.now()
    await wait(1000)
    return performance.now() - began < 900
  }

  describe('a rate', () => {
    test('lets a second of it start at once, and then one by one', async () => {
      await limit({ rate: '5/s' })
      await fill(20)
      const first = await stage.cycle({ wanted: 10 })
      expect(first).toMatchObject({ limited: true, nextDue: stage.now + 200 })
      expect(first.leased).toHaveLength(5)
      expect(await stage.lease(10)).toHaveLength(0)
      stage.now += 199
      expect(await stage.cycle({ wanted: 10 })).toMatchObject({
        leased: [],
        nextDue: stage.now + 1,
      })
      stage.now += 1
      expect(await stage.lease(10)).toHaveLength(1)
      stage.now += 500
      expect(await stage.lease(10)).toHaveLength(2)
      stage.now += 60_000
      expect(await stage.lease(10)).toHaveLength(5)
    })

    test('of less than one a second lets one start at a time', async () => {
      await limit({ rate: '5/10s' })
      await fill(5)
      expect(await stage.cycle({ wanted: 9 })).toMatchObject({ nextDue: stage.now + 2000 })
      stage.now += 1999
      expect(await stage.lease(9)).toHaveLength(0)
      stage.now += 1
      expect(await stage.lease(9)).toHaveLength(1)
    })

    test('that does not divide a second is kept over a long time', async () => {
      await limit({ rate: '14/s' })
      await fill(200)
      const starts: number[] = []
      const began = stage.now
      while (starts.length < 154) {
        const { leased, nextDue = stage.now } = await stage.cycle({ wanted: 50 })
        for (const _ of leased) starts.push(stage.now)
        stage.now = Math.max(nextDue, stage.now + 1)
      }
      // 14 at once, and 14 in each of the ten seconds after that.
      expect((starts.at(-1) ?? 0) - began).toBeGreaterThanOrEqual(10_000)
      expect((starts.at(-1) ?? 0) - began).toBeLessThan(10_010)
    })

    test('is of starts: what is given back unspent costs nothing, what was begun does', async () => {
      await limit({ rate: '2/m' })
      await fill(3)
      const release = async (begun: boolean) => {
        const task = await stage.leaseOne()
        await stage.settle(task, begun ? { name: 'release', begun } : { name: 'release' })
      }
      await release(false)
      await release(false)
      const { id, fence } = await stage.leaseOne()
      await stage.broker.giveBack(stage.partition, stage.worker, [{ id, fence }])
      await release(true)
      expect(await stage.lease(5)).toHaveLength(0)
      stage.now += 30_000
      expect(await stage.lease(5)).toHaveLength(1)
    })

    test('keeps to the order of the line, and a task that cannot run costs nothing', async () => {
      await limit({ rate: '1/s' })
      await stage.add({ expiresIn: 100 })
      const low = await stage.add({ priority: 'low' })
      const high = await stage.add({ priority: 'high' })
      stage.now += 100
      expect(await stage.lease(5)).toMatchObject([{ id: high }])
      stage.now += 1000
      await stage.lease(5)
      stage.now += 1000
      const rest = await stage.lease(5)
      expect([...rest, ...(await stage.lease(1))].map(({ id }) => id)).toEqual([low])
    })
  })

  describe('maxActive', () => {
    test('counts all workers, and a slot is free however its task ends', async () => {
      await limit({ maxActive: 2 })
      await fill(9)
      await stage.join('w2')
      const [first] = await stage.lease(1)
      const [second] = await stage.lease(5, 'w2')
      expect(await stage.lease(5)).toHaveLength(0)
      await stage.settle(first as NonNullable<typeof first>, { name: 'complete', result: 1 })
      const [third] = await stage.lease(5)
      await stage.settle(third as NonNullable<typeof third>, { name: 'retry', after: 1, error })
      expect(await stage.lease(5)).toHaveLength(1)
      await stage.broker.cancel(stage.partition, [second?.id ?? ''])
      expect(await stage.lease(5)).toHaveLength(1)
    })

    test("a lost worker's slots are free once it is rescued", async () => {
      await limit({ maxActive: 2 })
      await fill(5)
      await stage.broker.rescue(stage.partition, 30_000)
      await stage.join('w2', 1000)
      expect(await stage.lease(5, 'w2')).toHaveLength(2)
      expect(await stage.lease(5)).toHaveLength(0)
      stage.now += 1001
      expect(await stage.broker.rescue(stage.partition, 30_000)).toMatchObject({ rescued: 2 })
      expect(await marked()).toBe(true)
      expect(await stage.lease(5)).toHaveLength(2)
    })
  })

  describe('a queue at its limit', () => {
    test('wakes nobody for what comes into line, as one worker looks after it', async () => {
      await limit({ rate: '1/h' })
      await fill(3)
      expect((await stage.cycle({ wanted: 5 })).nextDue).toBe(stage.now + 3_600_000)
      await fill(1)
      expect(await marked()).toBe(false)
      await stage.join('w2')
      // Another worker has nothing to look for before its own next look.
      expect((await stage.cycle({ wanted: 5, worker: 'w2' })).nextDue).toBeUndefined()
      expect((await stage.cycle({ wanted: 5 })).nextDue).toBe(stage.now + 3_600_000)
      // Whoever has no room, or goes, leaves it to others.
      await stage.cycle({ wanted: 0 })
      expect(await marked()).toBe(true)
      expect((await stage.cycle({ wanted: 5, worker: 'w2' })).nextDue).toBeDefined()
    })

    test('is looked after by another where the one that would is late', async () => {
      await limit({ rate: '1/s' })
      await fill(5)
      await stage.lease(5)
      await stage.join('w2')
      stage.now += 1001
      expect(await stage.cycle({ wanted: 5, worker: 'w2' })).toMatchObject({
        leased: [{}],
        nextDue: stage.now + 1000,
      })
    })

    test('wakes one when a slot is freed', async () => {
      await limit({ maxActive: 1 })
      await fill(3)
      const task = await stage.leaseOne()
      expect(await stage.lease(3)).toHaveLength(0)
      await fill(1)
      expect(await marked()).toBe(false)
      await stage.broker.cancel(stage.partition, [task.id])
      expect(await marked()).toBe(true)
      const next = await stage.leaseOne()
      await stage.lease(3)
      await stage.settle(next, { name: 'complete', result: 1 })
      expect(await marked()).toBe(true)
    })

    test('whose line is empty wakes one for the next task', async () => {
      await limit({ rate: '1/h' })
      await stage.add()
      await stage.lease(5)
      while (await marked());
      await stage.add()
      expect(await marked()).toBe(true)
    })
  })

  describe('limits', () => {
    test('are changed in part, and what stays keeps its count', async () => {
      await limit({ rate: '10/s' })
      await fill(60)
      expect(await stage.lease(50)).toHaveLength(10)
      await limit({ maxActive: 12 })
      expect(await limits()).toMatchObject({ rate: '10/s', maxActive: 12 })
      expect(await stage.lease(50)).toHaveLength(0)
      // The tokens that are missing are missing by the new rate too, as far as it has so many.
      await limit({ rate: '2/s', maxActive: null })
      stage.now += 499
      expect(await stage.lease(50)).toHaveLength(0)
      stage.now += 1
      expect(await stage.lease(50)).toHaveLength(1)
      await limit({ rate: null })
      expect(await marked()).toBe(true)
      expect((await stage.cycle({ wanted: 5 })).limited).toBeUndefined()
      expect(await stage.lease(50)).toHaveLength(44)
    })

    test('that a config says hold once, and give way to a person until it says others', async () => {
      expect(await say({})).toMatchObject({ changed: false, byPerson: false })
      expect(await limits()).toBeUndefined()
      expect(await say({ rate: '14/s' })).toEqual({ changed: true, before: {}, byPerson: false })
      await limit({ rate: '3/s', maxActive: 4 })
      expect(await say({ rate: '14/s' })).toEqual({
        changed: false,
        before: { rate: '3/s', maxActive: 4 },
        byPerson: true,
      })
      expect(await limits()).toMatchObject({
        rate: '3/s',
        maxActive: 4,
        differs: true,
        said: { rate: '14/s' },
      })
      expect(await say({ maxActive: 9 })).toMatchObject({ changed: true, byPerson: true })
      expect(await limits()).toMatchObject({ maxActive: 9, differs: false })
      expect((await limits())?.rate).toBeUndefined()
      expect(await say({})).toMatchObject({ changed: true, byPerson: false })
      expect(await limits()).toMatchObject({ differs: false, said: {} })
    })
  })
}
