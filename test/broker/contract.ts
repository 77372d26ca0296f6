import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import { error, Stage } from './stage.js'

const day = 86_400_000
const retention = (completed: number, dead = 1000, cancelled = 1000) => ({
  completed: { age: day, count: completed },
  dead: { age: 90 * day, count: dead },
  cancelled: { age: day, count: cancelled },
})

/** What every broker must do; run on each. */
export function brokerContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.open()
  })
  afterEach(() => stage.broker.close())

  describe('enqueue', () => {
    test('keeps every field of a task as it was given', async () => {
      const payload = { text: 'ünï 𝄞 \u0000 "q"', deep: [{ a: null }], big: 1e300 }
      const task = stage.task({ priority: 'high', deadLetter: 'dead:x' }, payload)
      await stage.broker.enqueue(stage.partition, [task], false)
      const found = await stage.find(task.id)
      expect(found).toMatchObject({
        state: 'waiting',
        priority: 'high',
        deadLetter: 'dead:x',
        body: task.body,
      })
    })

    test('leases in the order of priority, first in first out within a level', async () => {
      const order = ['low', 'normal', 'critical', 'high', 'normal', 'critical'] as const
      const ids = []
      for (const priority of order) ids.push(await stage.add({ priority }))
      const leased = await stage.lease(10)
      expect(leased.map((task) => task.id)).toEqual([
        ids[2],
        ids[5],
        ids[3],
        ids[1],
        ids[4],
        ids[0],
      ])
    })

    test('a batch keeps its order and mixes plain and checked tasks', async () => {
      const tasks = [
        stage.task(),
        stage.task({ due: { in: 1000 } }),
        stage.task({ fingerprint: 'f' }),
      ]
      const made = await stage.broker.enqueue(stage.partition, tasks, false)
      expect(made.map((task) => [task.id, task.state])).toEqual([
        [tasks[0]?.id, 'waiting'],
        [tasks[1]?.id, 'scheduled'],
        [tasks[2]?.id, 'waiting'],
      ])
      expect(made[1]?.dueAt).toBe(stage.now + 1000)
    })

    test("a caller's own id is taken once, and another payload under it is refused", async () => {
      const first = stage.task({ id: 'mine', fingerprint: 'a' })
      await stage.broker.enqueue(stage.partition, [first], false)
      const again = await stage.broker.enqueue(stage.partition, [first], false)
      expect(again).toEqual([{ id: 'mine', state: 'waiting', duplicate: true, differs: false }])
      const other = stage.task({ id: 'mine', fingerprint: 'b' }, { n: 2 })
      expect(await stage.broker.enqueue(stage.partition, [other], false)).toMatchObject([
        { id: 'mine', duplicate: true, differs: true },
      ])
      expect((await stage.find('mine'))?.body.payload).toEqual({ n: 1 })
      expect(await stage.lease(5)).toHaveLength(1)
    })

    test('an own id is remembered for a day after its task was pruned', async () => {
      stage.keep = 0
      const mine = stage.task({ id: 'mine', fingerprint: 'a' })
      await stage.broker.enqueue(stage.partition, [mine], false)
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: undefined })
      expect(await stage.state('mine')).toBe('gone')
      expect(await stage.broker.enqueue(stage.partition, [mine], false)).toMatchObject([
        { id: 'mine', state: 'completed', duplicate: true },
      ])
      stage.now += day + 1
      await stage.broker.prune(stage.partition, retention(0))
      expect(await stage.broker.enqueue(stage.partition, [mine], false)).toMatchObject([
        { duplicate: false },
      ])
    })

    test('what is known of ids is told, of tasks that are gone too', async () => {
      const { broker, partition } = stage
      const known = (...ids: string[]) => broker.remembered(partition, ids)
      await broker.enqueue(partition, [stage.task({ id: 'mine', fingerprint: 'a' })], false)
      const given = await stage.add({ due: { in: 1000 } })
      expect(await known('mine', 'never', given)).toEqual([
        { id: 'mine', state: 'waiting', fingerprint: 'a' },
        undefined,
        { id: given, state: 'scheduled' },
      ])
      stage.keep = 0
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: undefined })
      expect(await stage.state('mine')).toBe('gone')
      expect(await known('mine')).toEqual([{ id: 'mine', state: 'completed', fingerprint: 'a' }])
      const dead = await stage.add({ id: 'other', fingerprint: 'b' })
      await stage.settle(await stage.leaseOne(), { name: 'bury', error })
      stage.now += 91 * day
      await broker.prune(partition, retention(0, 0))
      expect(await known(dead)).toEqual([undefined])
      expect(await known()).toEqual([])
    })

    test('a repeat of a sent batch writes nothing a second time', async () => {
      const tasks = [stage.task(), stage.task()]
      await stage.broker.enqueue(stage.partition, tasks, false)
      await stage.lease(1)
      const repeat = await stage.broker.enqueue(stage.partition, tasks, true)
      expect(repeat.map((task) => [task.duplicate, task.state])).toEqual([
        [true, 'active'],
        [true, 'waiting'],
      ])
      expect(await stage.lease(5)).toHaveLength(1)
    })

    test('a unique key holds until its task ends', async () => {
      const unique = { key: 'user:1 with spaces' }
      const first = await stage.add({ unique })
      const [second] = await stage.broker.enqueue(stage.partition, [stage.task({ unique })], false)
      expect(second).toMatchObject({ id: first, duplicate: true, state: 'waiting' })
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
      const [third] = await stage.broker.enqueue(stage.partition, [stage.task({ unique })], false)
      expect(third?.duplicate).toBe(false)
    })

    test('a unique key with a time holds exactly that long, whatever became of the task', async () => {
      const unique = { key: 'k', for: 1000 }
      const first = await stage.add({ unique })
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
      stage.now += 999
      const again = () => stage.broker.enqueue(stage.partition, [stage.task({ unique })], false)
      expect(await again()).toMatchObject([{ id: first, duplicate: true, state: 'completed' }])
      stage.now += 1
      expect(await again()).toMatchObject([{ duplicate: false }])
    })

    test('a task that was not started in time is dead, with the code expired', async () => {
      const id = await stage.add({ expiresIn: 1000 })
      stage.now += 1000
      expect(await stage.lease()).toEqual([])
      expect(await stage.find(id)).toMatchObject({
        state: 'dead',
        attempts: [{ outcome: 'bury', error: { code: 'expired' } }],
      })
    })

    test('expiry comes by time as well, without a worker and where it is scheduled', async () => {
      const waiting = await stage.add({ expiresIn: 1000 })
      const scheduled = await stage.add({ expiresIn: 1000, due: { in: 5000 } })
      stage.now += 1001
      expect(await stage.broker.prune(stage.partition, retention(10))).toMatchObject({ expired: 2 })
      expect(await stage.state(waiting)).toBe('dead')
      expect(await stage.state(scheduled)).toBe('dead')
    })

    test('a task that was started in time is not touched by its expiry', async () => {
      const id = await stage.add({ expiresIn: 1000 })
      await stage.leaseOne()
      stage.now += 2000
      await stage.broker.prune(stage.partition, retention(10))
      expect(await stage.state(id)).toBe('active')
    })
  })

  describe('cycle', () => {
    test('completes, and keeps start, attempt and result', async () => {
      const id = await stage.add()
      stage.now += 10
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: { ok: [1] } })
      expect(await stage.find(id)).toMatchObject({
        state: 'completed',
        result: { ok: [1] },
        completedAttempt: 1,
        startedAt: stage.now - 5,
        endedAt: stage.now,
      })
    })

    test('with nothing to keep, a completed task is gone at once', async () => {
      stage.keep = 0
      const id = await stage.add()
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
      expect(await stage.state(id)).toBe('gone')
    })

    test('keeps no more completed tasks than the count allows', async () => {
      stage.keep = 2
      const ids = [await stage.add(), await stage.add(), await stage.add()]
      for (const task of await stage.lease(3)) {
        stage.now += 1
        await stage.settle(task, { name: 'complete', result: 1 })
      }
      expect(await Promise.all(ids.map((id) => stage.state(id)))).toEqual([
        'gone',
        'completed',
        'completed',
      ])
    })

    test('a retry comes back when it is due, not before, with its failures counted', async () => {
      const id = await stage.add({ priority: 'high' })
      await stage.settle(await stage.leaseOne(), { name: 'retry', after: 2000, error })
      expect(await stage.find(id)).toMatchObject({
        state: 'retryable',
        failures: 1,
        dueAt: stage.now + 2000,
      })
      stage.now += 1999
      expect((await stage.cycle({ wanted: 1, promote: true })).leased).toEqual([])
      stage.now += 1
      const reply = await stage.cycle({ wanted: 1, promote: true })
      expect(reply.leased).toMatchObject([{ id, failures: 1, priority: 'high' }])
    })

    test('says when the next task is due, where there is room left', async () => {
      await stage.add({ due: { in: 5000 } })
      await stage.add({ due: { in: 3000 } })
      expect((await stage.cycle({ wanted: 1 })).nextDue).toBe(stage.now + 3000)
    })

    test('promotes in the order of due times, by level', async () => {
      const late = await stage.add({ due: { in: 2000 } })
      const early = await stage.add({ due: { in: 1000 } })
      const urgent = await stage.add({ due: { in: 2000 }, priority: 'critical' })
      stage.now += 2000
      const { leased } = await stage.cycle({ wanted: 5, promote: true })
      expect(leased.map((task) => task.id)).toEqual([urgent, early, late])
    })

    test('a buried task lies under its dead-letter key with every error', async () => {
      const id = await stage.add({ deadLetter: 'dead:mail' })
      for (const after of [0, 0]) {
        await stage.settle(await stage.leaseOne(), { name: 'retry', after, error })
        await stage.cycle({ promote: true })
      }
      await stage.settle(await stage.leaseOne(), {
        name: 'bury',
        error: { ...error, message: 'last' },
      })
      const found = await stage.find(id)
      expect(found?.attempts.map((a) => [a.attempt, a.outcome, a.error?.message])).toEqual([
        [1, 'retry', 'it broke'],
        [2, 'retry', 'it broke'],
        [3, 'bury', 'last'],
      ])
      expect(await stage.broker.deadLetters(stage.partition)).toEqual([
        { key: 'dead:mail', count: 1 },
      ])
    })

    test('a released task is first in line again and nothing is counted', async () => {
      const id = await stage.add()
      await stage.add()
      await stage.settle(await stage.leaseOne(), { name: 'release' })
      expect(await stage.find(id)).toMatchObject({
        state: 'waiting',
        position: 0,
        failures: 0,
        attempts: [],
      })
      expect((await stage.leaseOne()).id).toBe(id)
    })

    test('a task put aside comes back unspent, and since when is kept', async () => {
      const id = await stage.add()
      const since = stage.now
      await stage.settle(await stage.leaseOne(), { name: 'release', after: 1000 })
      expect(await stage.find(id)).toMatchObject({
        state: 'scheduled',
        failures: 0,
        mismatchSince: since,
      })
      stage.now += 1000
      await stage.cycle({ promote: true })
      await stage.settle(await stage.leaseOne(), { name: 'release', after: 1000 })
      expect((await stage.find(id))?.mismatchSince).toBe(since)
    })

    test('deaths of its own process bury it at the limit, and not before', async () => {
      const id = await stage.add()
      const crash = { name: 'crash', maxDeaths: 2, error: { ...error, code: 'crashed' } } as const
      await stage.settle(await stage.leaseOne(), crash)
      expect(await stage.state(id)).toBe('waiting')
      const again = await stage.leaseOne()
      expect(again).toMatchObject({ deaths: 1, failures: 0 })
      await stage.settle(again, crash)
      expect(await stage.find(id)).toMatchObject({
        state: 'dead',
        attempts: [{ error: { code: 'crashed' } }],
      })
    })

    test('a process that could not be started is a loss, and no death', async () => {
      const id = await stage.add()
      const lose = { name: 'lose', maxLosses: 2, error: { ...error, code: 'lost' } } as const
      await stage.settle(await stage.leaseOne(), lose)
      expect(await stage.state(id)).toBe('waiting')
      const again = await stage.leaseOne()
      expect(again).toMatchObject({ deaths: 0, losses: 1, failures: 0 })
      await stage.settle(again, lose)
      expect(await stage.find(id)).toMatchObject({
        state: 'dead',
        attempts: [{ error: { code: 'lost' } }],
      })
    })

    test('the fence grows with every lease, also when the clock stands still or goes back', async () => {
      await stage.add()
      const fences: number[] = []
      for (const step of [0, -60_000, 5]) {
        stage.now += step
        const task = await stage.leaseOne()
        fences.push(Number(task.fence))
        await stage.settle(task, { name: 'release' })
      }
      expect([...fences].sort((a, b) => a - b)).toEqual(fences)
      expect(new Set(fences).size).toBe(3)
    })

    test('a settlement under an old fence is refused and changes nothing', async () => {
      const id = await stage.add()
      const old = await stage.leaseOne()
      await stage.settle(old, { name: 'release' })
      await stage.leaseOne()
      const before = await stage.find(id)
      for (const outcome of [
        { name: 'complete', result: 1 },
        { name: 'retry', after: 1, error },
        { name: 'bury', error },
        { name: 'release' },
      ] as const) {
        expect((await stage.settle(old, outcome)).refused).toEqual([id])
        expect(await stage.find(id)).toEqual(before)
      }
    })

    test('a record that cannot be read is leased as broken and stops nobody', async () => {
      const body = { type: 'no\ntype', payload: 1, enqueuedAt: 0, overrides: {}, tags: [] }
      await stage.broker.enqueue(stage.partition, [stage.task({ body })], false)
      const healthy = await stage.add()
      const leased = await stage.lease(2)
      expect(leased[0]?.broken).toContain('cannot be read')
      expect(leased[1]?.id).toBe(healthy)
    })
  })

  describe('leases', () => {
    test('a worker that never joined, or has left, is refused whole', async () => {
      const id = await stage.add()
      expect(await stage.tryCycle({ worker: 'nobody', wanted: 1 })).toEqual({ lost: true })
      const task = await stage.leaseOne()
      await stage.broker.leave(stage.partition, stage.worker)
      expect(await stage.state(id)).toBe('waiting')
      const word = [stage.settlement(task, { name: 'complete', result: 1 })]
      expect(await stage.tryCycle({ settled: word })).toEqual({ lost: true })
      expect(await stage.state(id)).toBe('waiting')
    })

    test('after grace, tasks of a worker whose lease is over go back to their places', async () => {
      const id = await stage.add()
      await stage.add()
      await stage.leaseOne()
      expect(await stage.broker.rescue(stage.partition, 30_000)).toMatchObject({ workers: [] })
      for (let i = 0; i < 4; i += 1) {
        stage.now += 10_000
        await stage.broker.rescue(stage.partition, 30_000)
      }
      expect(await stage.find(id)).toMatchObject({
        state: 'waiting',
        position: 0,
        losses: 1,
        failures: 0,
      })
    })

    test('when no rescuer has looked for half a lease, every lease is prolonged once', async () => {
      const id = await stage.add()
      await stage.leaseOne()
      await stage.broker.rescue(stage.partition, 30_000)
      stage.now += 600_000
      expect(await stage.broker.rescue(stage.partition, 30_000)).toMatchObject({ rescued: 0 })
      stage.now += 14_000
      expect(await stage.broker.rescue(stage.partition, 30_000)).toMatchObject({ rescued: 0 })
      stage.now += 14_000
      expect(await stage.broker.rescue(stage.partition, 30_000)).toMatchObject({ rescued: 0 })
      stage.now += 3_000
      expect(await stage.broker.rescue(stage.partition, 30_000)).toMatchObject({ rescued: 1 })
      expect(await stage.state(id)).toBe('waiting')
    })

    test('the late word of a rescued worker is refused whole, and a word before the rescue counts', async () => {
      await stage.join('w2')
      const first = await stage.add()
      const second = await stage.add()
      const [one, two] = await stage.lease(2)
      if (!one || !two) throw new Error('two tasks were expected')
      stage.now += 31_000
      expect((await stage.settle(one, { name: 'complete', result: 1 })).refused).toEqual([])
      await stage.broker.rescue(stage.partition, 30_000)
      for (let i = 0; i < 4; i += 1) {
        stage.now += 10_000
        await stage.broker.rescue(stage.partition, 30_000)
      }
      const late = [stage.settlement(two, { name: 'complete', result: 1 })]
      expect(await stage.tryCycle({ settled: late })).toEqual({ lost: true })
      expect(await stage.state(first)).toBe('completed')
      expect(await stage.state(second)).toBe('waiting')
    })

    test('twenty losses bury a task', async () => {
      const id = await stage.add()
      await stage.broker.rescue(stage.partition, 1000)
      for (let i = 0; i < 20; i += 1) {
        await stage.join(`w-${i}`, 100)
        await stage.leaseOne(`w-${i}`)
        stage.now += 400
        await stage.broker.rescue(stage.partition, 1000)
      }
      expect(await stage.find(id)).toMatchObject({
        state: 'dead',
        losses: 20,
        attempts: [{ error: { code: 'lost' } }],
      })
    })

    test('what a lost answer leased can be found and given back', async () => {
      const id = await stage.add()
      const task = await stage.leaseOne()
      expect(await stage.broker.held(stage.partition, stage.worker)).toEqual([
        { id, fence: task.fence },
      ])
      await stage.broker.giveBack(stage.partition, stage.worker, [
        { id, fence: '0000000000000001' },
      ])
      expect(await stage.state(id)).toBe('active')
      await stage.broker.giveBack(stage.partition, stage.worker, [{ id, fence: task.fence }])
      expect(await stage.state(id)).toBe('waiting')
    })
  })

  describe('moves of a person', () => {
    test('a running task is cancelled at once, and its late outcome is refused', async () => {
      const id = await stage.add()
      const task = await stage.leaseOne()
      expect(await stage.broker.cancel(stage.partition, [id])).toEqual([
        { ok: true, from: 'active' },
      ])
      expect(await stage.find(id)).toMatchObject({
        state: 'cancelled',
        attempts: [{ outcome: 'cancel' }],
      })
      expect((await stage.settle(task, { name: 'complete', result: 1 })).refused).toEqual([id])
      expect(await stage.state(id)).toBe('cancelled')
    })

    test('a dead task is requeued with all its attempts and keeps its history', async () => {
      const { id } = await stage.bring('dead')
      expect(await stage.broker.requeue(stage.partition, [id])).toEqual([
        { ok: true, from: 'dead' },
      ])
      expect(await stage.find(id)).toMatchObject({
        state: 'waiting',
        failures: 0,
        attempts: [{ outcome: 'bury' }],
      })
      expect(await stage.broker.deadLetters(stage.partition)).toEqual([])
    })

    test('a paused queue gives nothing out until it is resumed', async () => {
      await stage.add()
      await stage.broker.pause(stage.partition, true)
      const reply = await stage.cycle({ wanted: 1 })
      expect([reply.paused, reply.leased]).toEqual([true, []])
      expect((await stage.broker.counts(stage.partition)).paused).toBe(true)
      await stage.broker.pause(stage.partition, false)
      expect(await stage.lease()).toHaveLength(1)
    })

    test('an erased task is gone, and its id may be used anew', async () => {
      await stage.broker.enqueue(
        stage.partition,
        [stage.task({ id: 'mine', fingerprint: 'a' })],
        false,
      )
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
      expect(await stage.broker.erase(stage.partition, ['mine', 'never'])).toEqual([
        { ok: true, from: 'completed' },
        { ok: false, reason: 'unknown_task' },
      ])
      const again = stage.task({ id: 'mine', fingerprint: 'b' })
      expect(await stage.broker.enqueue(stage.partition, [again], false)).toMatchObject([
        { duplicate: false },
      ])
    })
  })

  describe('wake-up', () => {
    const never = new AbortController().signal
    test('an enqueue ends the wait of an idle worker', async () => {
      const waited = stage.broker.wait(stage.partition, 15_000, never).then(() => 'woken')
      await stage.add()
      expect(await waited).toBe('woken')
    })

    test('an abort ends the wait', async () => {
      const stop = new AbortController()
      const waited = stage.broker.wait(stage.partition, 15_000, stop.signal).then(() => 'ended')
      stop.abort()
      expect(await waited).toBe('ended')
    })
  })

  describe('retention', () => {
    test('prunes by age and by count, the oldest first, and says how many', async () => {
      const old = await stage.bring('completed')
      stage.now += day + 1
      const dead = [await stage.bring('dead'), await stage.bring('dead')]
      stage.now += 5
      const last = await stage.bring('dead')
      const reply = await stage.broker.prune(stage.partition, retention(100, 1))
      expect(reply).toMatchObject({ completed: 1, dead: 2 })
      const left = await Promise.all([old, ...dead, last].map(({ id }) => stage.state(id)))
      expect(left).toEqual(['gone', 'gone', 'gone', 'dead'])
      expect(await stage.broker.deadLetters(stage.partition)).toEqual([{ key: 'dead', count: 1 }])
    })

    test('leaves no key behind when everything has ended and its time is over', async () => {
      await stage.add({ unique: { key: 'u', for: 10 }, expiresIn: day })
      await stage.add({ fingerprint: 'f', unique: { key: 'v' } })
      for (const task of await stage.lease(2)) await stage.settle(task, { name: 'bury', error })
      stage.now += 100 * day
      await stage.broker.prune(stage.partition, retention(0))
      await stage.broker.prune(stage.partition, retention(0))
      expect(await stage.broker.counts(stage.partition)).toMatchObject({ depth: { dead: 0 } })
      const again = stage.task({ unique: { key: 'v' } })
      expect(await stage.broker.enqueue(stage.partition, [again], false)).toMatchObject([
        { duplicate: false },
      ])
    })
  })

  describe('queries', () => {
    test('depths are the sizes of the sets, and the oldest wait is over all levels', async () => {
      await stage.add({ priority: 'low' })
      stage.now += 700
      await stage.add({ priority: 'critical' })
      await stage.bring('scheduled')
      const counts = await stage.broker.counts(stage.partition)
      expect(counts).toMatchObject({
        depth: { waiting: 2, scheduled: 1, active: 0 },
        oldestWaiting: 700,
        workers: 1,
      })
    })

    test('pages through a state without gap or repeat, while it changes', async () => {
      const ids: string[] = []
      for (let i = 0; i < 7; i += 1) ids.push(await stage.add())
      const seen: string[] = []
      let after: string | undefined
      for (let round = 0; round < 10; round += 1) {
        const page = await stage.broker.list(stage.partition, {
          state: 'waiting',
          limit: 3,
          ...(after === undefined ? {} : { after }),
        })
        seen.push(...page.tasks.map((task) => task.id))
        if (round === 0) await stage.lease(2)
        after = page.next
        if (after === undefined) break
      }
      expect(seen).toEqual(ids)
    })

    test.each(['dead', 'scheduled'] as const)(
      'pages through what is %s of one time, while the last that was shown goes',
      async (state) => {
        const ids: string[] = []
        for (let i = 0; i < 12; i += 1) ids.push((await stage.bring(state)).id)
        const seen: string[] = []
        let after: string | undefined
        do {
          const page = await stage.broker.list(stage.partition, {
            state,
            limit: 3,
            ...(after === undefined ? {} : { after }),
          })
          seen.push(...page.tasks.map((task) => task.id))
          const move = state === 'dead' ? 'requeue' : 'promote'
          await stage.broker[move](stage.partition, seen.slice(-1))
          after = page.next
        } while (after !== undefined)
        const inOrder = ids.toSorted()
        expect(seen).toEqual(state === 'dead' ? inOrder.reverse() : inOrder)
      },
    )

    test('lists ended tasks newest first, and dead letters of one key', async () => {
      const first = await stage.bring('dead')
      stage.now += 10
      const second = await stage.bring('dead')
      const page = await stage.broker.list(stage.partition, {
        state: 'dead',
        deadLetter: 'dead',
        limit: 10,
      })
      expect(page.tasks.map((task) => task.id)).toEqual([second.id, first.id])
      const other = await stage.broker.list(stage.partition, {
        state: 'dead',
        deadLetter: 'none',
        limit: 10,
      })
      expect(other).toEqual({ tasks: [], places: [], cut: false })
    })

    test('lists what is active, with its holder', async () => {
      const { id } = await stage.bring('active')
      const page = await stage.broker.list(stage.partition, { state: 'active', limit: 10 })
      expect(page.tasks).toMatchObject([{ id, worker: 'w1', state: 'active' }])
      expect(await stage.broker.workers(stage.partition)).toMatchObject([
        { worker: 'w1', host: 'here', running: [id] },
      ])
    })

    test('pages through what is active, while some of it ends', async () => {
      for (let i = 0; i < 10; i += 1) await stage.add()
      const leased = await stage.lease(10)
      const seen: string[] = []
      let after: string | undefined
      do {
        const page = await stage.broker.list(stage.partition, {
          state: 'active',
          limit: 3,
          ...(after === undefined ? {} : { after }),
        })
        expect(page.tasks.length).toBeLessThanOrEqual(3)
        for (const { id } of page.tasks) {
          seen.push(id)
          const task = leased.find((each) => each.id === id)
          if (task) await stage.settle(task, { name: 'complete', result: 1 })
        }
        after = page.next
      } while (after !== undefined)
      expect(seen.sort()).toEqual(leased.map(({ id }) => id).sort())
    })

    test('counts by minute, and keeps the total when a minute is folded', async () => {
      await stage.bring('completed')
      await stage.bring('retryable')
      await stage.bring('dead')
      const { minutes, total } = await stage.broker.stats(stage.partition, 5)
      expect(minutes).toMatchObject([{ enqueued: 3, completed: 1, retried: 1, dead: 1, runMs: 5 }])
      expect(total).toMatchObject({ enqueued: 3, completed: 1 })
      await stage.broker.prune(stage.partition, retention(10))
      stage.now += 181 * 60_000
      await stage.broker.prune(stage.partition, retention(10))
      for (let i = 0; i < 3; i += 1) await stage.broker.prune(stage.partition, retention(10))
      const later = await stage.broker.stats(stage.partition, 5)
      expect(later.minutes).toEqual([])
      expect(later.total).toMatchObject({ enqueued: 3, completed: 1, retried: 1, dead: 1 })
    })

    test('the catalogue holds what each kernel published', async () => {
      const type = {
        type: 'email',
        queue: 'default',
        partitions: 1,
        deadLetter: 'dead',
        tz: 'UTC',
        schema: {},
      }
      await stage.broker.publish({ types: [type], queues: [{ queue: 'default', partitions: 1 }] })
      await stage.broker.publish({ types: [{ ...type, type: 'other' }], queues: [] })
      const { types, queues } = await stage.broker.catalogue()
      expect(types.map((entry) => entry.type).sort()).toEqual(['email', 'other'])
      expect(queues).toEqual([{ queue: 'default', partitions: 1 }])
    })
  })
}
