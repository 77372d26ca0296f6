import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import type { Edit, NewTask } from '../../src/core/broker.js'
import { error, Stage } from './stage.js'

const minute = 60_000

/** What a task is seen as after people's moves and after each way to an end; run on each broker. */
export function movesContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.open()
  })
  afterEach(() => stage.broker.close())

  const requeue = (...ids: string[]) => stage.broker.requeue(stage.partition, ids)
  const enqueue = async (parts: Partial<NewTask>) =>
    (await stage.broker.enqueue(stage.partition, [stage.task(parts)], false))[0]

  describe('letters that died by a time', () => {
    for (const move of ['requeue', 'erase'] as const) {
      test(`${move} leaves what died later, and what is no longer dead`, async () => {
        const old = await stage.bring('dead')
        const diedBy = stage.now
        stage.now += 1000
        const anew = await stage.bring('dead')
        const cancelled = await stage.bring('cancelled')
        const ids = [old.id, anew.id, cancelled.id]
        expect(await stage.broker[move](stage.partition, ids, diedBy)).toEqual([
          { ok: true, from: 'dead' },
          { ok: false, reason: 'wrong_state', state: 'dead' },
          { ok: false, reason: 'wrong_state', state: 'cancelled' },
        ])
        expect(await stage.state(anew.id)).toBe('dead')
        expect(await stage.state(cancelled.id)).toBe('cancelled')
        const all = await stage.broker[move](stage.partition, [anew.id, cancelled.id])
        expect(all).toMatchObject([{ ok: true }, { ok: true }])
      })
    }
  })

  describe('a unique key and a requeue', () => {
    const unique = { key: 'user:1 %' }

    test('a requeue is refused while another task holds the key, and names it', async () => {
      for (const state of ['dead', 'cancelled'] as const) {
        const first = await stage.bring(state, { unique })
        const second = await stage.bring('waiting', { unique })
        expect(await requeue(first.id)).toEqual([
          { ok: false, reason: 'unique_held', state, holder: second.id },
        ])
        expect(await stage.state(first.id)).toBe(state)
        await stage.broker.cancel(stage.partition, [second.id])
      }
    })

    test('a requeued task takes its free key again, and the end of another frees it not', async () => {
      const first = await stage.bring('dead', { unique })
      const second = await stage.bring('active', { unique })
      if (!second.lease) throw new Error('a lease was expected')
      await stage.settle(second.lease, { name: 'complete', result: 1 })
      expect(await requeue(first.id)).toEqual([{ ok: true, from: 'dead' }])
      expect(await enqueue({ unique })).toMatchObject({ duplicate: true, id: first.id })
      await stage.broker.erase(stage.partition, [second.id])
      expect(await enqueue({ unique })).toMatchObject({ duplicate: true, id: first.id })
      await stage.settle(await stage.leaseOne(), { name: 'complete', result: 1 })
      expect(await enqueue({ unique })).toMatchObject({ duplicate: false })
    })

    test('of two dead tasks of one key, one call requeues the first alone', async () => {
      const first = await stage.bring('dead', { unique })
      const second = await stage.bring('dead', { unique })
      expect(await requeue(first.id, second.id)).toEqual([
        { ok: true, from: 'dead' },
        { ok: false, reason: 'unique_held', state: 'dead', holder: first.id },
      ])
    })

    test('a key with a time refuses while another has it, and does not begin anew', async () => {
      const timed = { unique: { key: 'k', for: minute } }
      const first = await stage.bring('dead', timed)
      expect(await requeue(first.id)).toEqual([{ ok: true, from: 'dead' }])
      stage.now += minute
      const second = await enqueue(timed)
      expect(second?.duplicate).toBe(false)
      await stage.broker.cancel(stage.partition, [first.id])
      expect(await requeue(first.id)).toMatchObject([{ reason: 'unique_held', holder: second?.id }])
      stage.now += minute
      expect(await requeue(first.id)).toEqual([{ ok: true, from: 'cancelled' }])
      expect(await enqueue(timed)).toMatchObject({ duplicate: false })
    })
  })

  describe('another payload', () => {
    const edit = (id: string, parts: Partial<Edit> = {}) =>
      stage.broker.edit(stage.partition, {
        id,
        type: 'noop',
        payload: { n: 2, text: '\n1 2\n' },
        prints: { before: 'p', after: 'q' },
        run: false,
        ...parts,
      })

    test.each(['scheduled', 'retryable', 'dead', 'cancelled'] as const)(
      'is given to a %s task, and all else stays',
      async (state) => {
        const parts = { priority: 'high', unique: { key: 'u' } } as const
        const body = { ...stage.task().body, tags: ['a'], tz: 'Europe/Rome' }
        const { id } = await stage.bring(state, { ...parts, body })
        const before = await stage.find(id)
        expect(await edit(id)).toEqual({ ok: true, from: state })
        const payload = { n: 2, text: '\n1 2\n' }
        expect(await stage.find(id)).toEqual({ ...before, body: { ...before?.body, payload } })
      },
    )

    test.each(['waiting', 'active', 'completed'] as const)(
      'is refused to a %s task',
      async (state) => {
        const { id } = await stage.bring(state)
        const before = await stage.find(id)
        expect(await edit(id)).toEqual({ ok: false, reason: 'wrong_state', state })
        expect(await stage.find(id)).toEqual(before)
      },
    )

    test.each(['scheduled', 'retryable', 'dead', 'cancelled'] as const)(
      'and a run let a %s task run at once',
      async (state) => {
        const { id } = await stage.bring(state)
        expect(await edit(id, { run: true })).toEqual({ ok: true, from: state })
        expect(await stage.leaseOne()).toMatchObject({ id, body: { payload: { n: 2 } } })
        expect((await stage.find(id))?.body).not.toHaveProperty('runAt')
      },
    )

    test('is not written where the run that goes with it is refused', async () => {
      const unique = { key: 'u' }
      const first = await stage.bring('dead', { unique })
      const second = await stage.bring('waiting', { unique })
      const before = await stage.find(first.id)
      expect(await edit(first.id, { run: true })).toEqual({
        ok: false,
        reason: 'unique_held',
        state: 'dead',
        holder: second.id,
      })
      expect(await stage.find(first.id)).toEqual(before)
      expect(await edit(first.id)).toEqual({ ok: true, from: 'dead' })
    })

    test('of an id of its own is what a repeat is compared with, unless that is a batch', async () => {
      for (const [fingerprint, after] of [
        ['p', 'q'],
        ['batch', 'batch'],
      ] as const) {
        const id = `own-${fingerprint}`
        await stage.bring('dead', { id, fingerprint })
        expect(await edit(id)).toMatchObject({ ok: true })
        const known = await stage.broker.remembered(stage.partition, [id])
        expect(known).toEqual([{ id, state: 'dead', fingerprint: after }])
        expect(await edit(id, { run: true, prints: { before: after, after: 'r' } })).toMatchObject({
          ok: true,
        })
        const [waiting] = await stage.broker.remembered(stage.partition, [id])
        expect(waiting).toEqual({ id, state: 'waiting', fingerprint: 'r' })
        await stage.broker.cancel(stage.partition, [id])
      }
    })

    test('is not given to a task of another type, or to none', async () => {
      const { id } = await stage.bring('dead')
      expect(await edit(id, { type: 'noo' })).toEqual({ ok: false, reason: 'unknown_task' })
      expect(await edit('nobody')).toEqual({ ok: false, reason: 'unknown_task' })
    })
  })

  test('dead letters are counted by when they died', async () => {
    const start = stage.now
    for (let n = 0; n < 3; n++) {
      await stage.bring('dead')
      stage.now += minute
    }
    await stage.bring('dead', { deadLetter: 'other' })
    const span = (from?: number, to?: number) =>
      stage.broker.deadSpan(stage.partition, { deadLetter: 'dead', from, to })
    expect(await span()).toEqual({ count: 3, oldest: start, newest: start + 2 * minute })
    expect(await span(start + 1, start + minute)).toEqual({
      count: 1,
      oldest: start + minute,
      newest: start + minute,
    })
    expect(await span(undefined, start - 1)).toEqual({ count: 0 })
  })

  test('a job is held by one at a time, and remembered when it has ended', async () => {
    const { broker } = stage
    const order = { kind: 'requeue', key: 'dead', filter: { type: 'noop' } } as const
    expect(await broker.addJob({ ...order, id: 'j', startedAt: stage.now })).toBe(true)
    const job = await broker.takeJob('one', 1000)
    expect(job).toMatchObject({ ...order, id: 'j', state: 'running', held: true, done: 0 })
    if (job === undefined) throw new Error('a job was expected')
    const word = { lease: 1000, state: 'running', progress: { done: 5, skipped: 1 } } as const
    expect(await broker.keepJob(job, { ...word, holder: 'two' })).toBe('lost')
    stage.now += 999
    expect(await broker.keepJob(job, { ...word, holder: 'one' })).toBe('kept')
    stage.now += 999
    expect(await broker.takeJob('two', 1000)).toBeUndefined()
    stage.now += 1
    expect(await broker.takeJob('two', 1000)).toMatchObject({ id: 'j', done: 5, skipped: 1 })
    expect(await broker.keepJob(job, { ...word, holder: 'one' })).toBe('lost')
    expect(await broker.stopJob('j')).toBe(true)
    expect(await broker.keepJob(job, { ...word, holder: 'two' })).toBe('stop')
    const last = { ...word, lease: 0, state: 'stopped' } as const
    expect(await broker.keepJob(job, { ...last, holder: 'two' })).toBe('kept')
    stage.now += 1_000_000
    expect(await broker.takeJob('three', 1000)).toBeUndefined()
    const endedAt = stage.now - 1_000_000
    expect(await broker.jobs()).toMatchObject([{ id: 'j', state: 'stopped', endedAt, done: 5 }])
    expect(await broker.stopJob('nobody')).toBe(false)
  })

  describe('the due time', () => {
    const runAtOf = async (id: string) => {
      const task = await stage.find(id)
      return task?.dueAt ?? task?.body.runAt
    }

    test.each(['low', 'critical'] as const)(
      'is exactly what was asked, at %s',
      async (priority) => {
        const body = { ...stage.task().body, runAt: stage.now + 4999 }
        const at = stage.now + 5001
        const instant = await stage.add({ priority, due: { at }, body })
        const delayed = await stage.add({ priority, due: { in: 5001 }, body, unique: { key: 'u' } })
        for (const id of [instant, delayed]) expect(await runAtOf(id)).toBe(at)
        stage.now = at
        const leased = (await stage.cycle({ promote: true, wanted: 2 })).leased
        expect(leased.map((task) => task.body.runAt)).toEqual([at, at])
        for (const task of leased) await stage.settle(task, { name: 'complete', result: 1 })
        for (const id of [instant, delayed]) expect(await runAtOf(id)).toBe(at)
      },
    )

    test('that was asked for in the past is none', async () => {
      const id = await stage.add({ due: { at: stage.now - 1 } })
      expect(await runAtOf(id)).toBeUndefined()
    })

    test('still ahead is gone once a person lets the task run now', async () => {
      const unique = { key: 'u' }
      const promoted = await stage.add({ due: { in: minute }, unique }, { deep: ['\n', '1 2 3\n'] })
      await stage.broker.promote(stage.partition, [promoted])
      const cancelled = await stage.add({ due: { in: minute } })
      await stage.broker.cancel(stage.partition, [cancelled])
      expect(await runAtOf(cancelled)).toBe(stage.now + minute)
      await requeue(cancelled)
      for (const id of [promoted, cancelled]) expect(await runAtOf(id)).toBeUndefined()
      stage.now += 2 * minute
      for (const id of [promoted, cancelled]) expect(await runAtOf(id)).toBeUndefined()
      expect((await stage.find(promoted))?.body.payload).toEqual({ deep: ['\n', '1 2 3\n'] })
      expect(await enqueue({ unique })).toMatchObject({ duplicate: true, id: promoted })
    })

    test('of a retry that a person hastens is the first one again', async () => {
      const at = stage.now + 10
      const id = await stage.add({ due: { at } })
      stage.now = at
      const [task] = (await stage.cycle({ promote: true, wanted: 1 })).leased
      if (!task) throw new Error('a task was expected')
      await stage.settle(task, { name: 'retry', after: minute, error })
      expect(await runAtOf(id)).toBe(at + minute)
      await stage.broker.promote(stage.partition, [id])
      expect(await runAtOf(id)).toBe(at)
    })
  })

  describe('the history', () => {
    test('of an expired task has its error and no start', async () => {
      const id = await stage.add({ expiresIn: 1000 })
      stage.now += 1000
      expect(await stage.lease()).toEqual([])
      const task = await stage.find(id)
      expect(task).toMatchObject({ state: 'dead', failures: 0, endedAt: stage.now })
      expect(task?.attempts).toMatchObject([{ attempt: 1, error: { code: 'expired' } }])
      expect(task).not.toHaveProperty('startedAt')
    })

    test('of a retry that expired keeps the start of the run that was', async () => {
      const id = await stage.add({ expiresIn: 5000 })
      stage.now += 10
      const started = stage.now
      await stage.settle(await stage.leaseOne(), { name: 'retry', after: 1, error })
      stage.now += 6000
      await stage.cycle({ promote: true, wanted: 1 })
      const task = await stage.find(id)
      expect(task).toMatchObject({ state: 'dead', startedAt: started - 5 })
      expect(task?.attempts.map(({ attempt }) => attempt)).toEqual([1, 2])
    })

    test('of a task that its crashes buried counts the run under way', async () => {
      const id = await stage.add()
      const crash = { name: 'crash', maxDeaths: 2, error: { ...error, code: 'crashed' } } as const
      await stage.settle(await stage.leaseOne(), crash)
      expect((await stage.find(id))?.failures).toBe(0)
      await stage.settle(await stage.leaseOne(), crash)
      const task = await stage.find(id)
      expect(task).toMatchObject({ state: 'dead', failures: 1, attempts: [{ attempt: 1 }] })
    })

    test('of a task that was lost too often counts the run under way', async () => {
      const id = await stage.add()
      await stage.settle(await stage.leaseOne(), { name: 'retry', after: 0, error })
      await stage.cycle({ promote: true })
      await stage.broker.rescue(stage.partition, 1000)
      let leasedAt = 0
      for (let i = 0; i < 20; i += 1) {
        await stage.join(`w-${i}`, 100)
        leasedAt = (await stage.leaseOne(`w-${i}`)).leasedAt
        stage.now += 400
        await stage.broker.rescue(stage.partition, 1000)
      }
      const task = await stage.find(id)
      expect(task).toMatchObject({ state: 'dead', failures: 2, startedAt: leasedAt })
      expect(task?.attempts.at(-1)).toMatchObject({ attempt: 2, error: { code: 'lost' } })
    })

    test('begins no earlier than the task, though clocks read some ms apart', async () => {
      const ahead = (ms: number) => ({ body: { ...stage.task().body, enqueuedAt: stage.now + ms } })
      const active = await stage.add(ahead(2))
      await stage.leaseOne()
      expect((await stage.find(active))?.startedAt).toBe(stage.now + 2)
      const done = await stage.add(ahead(2))
      const task = await stage.leaseOne()
      await stage.settle(task, { name: 'complete', result: 1 })
      expect(await stage.find(done)).toMatchObject({
        startedAt: stage.now + 2,
        endedAt: stage.now,
      })
      const far = await stage.add(ahead(minute))
      await stage.leaseOne()
      expect((await stage.find(far))?.startedAt).toBe(stage.now)
    })
  })

  describe('progress', () => {
    const tell = async (value: unknown) => {
      const id = await stage.add()
      const task = await stage.leaseOne()
      await stage.broker.progress(stage.partition, stage.worker, task, value)
      return { id, task }
    }
    const progressOf = async (id: string) => (await stage.find(id))?.progress
    const progressed = true

    test('that was told last stays with the ended task, and a later word is not heard', async () => {
      for (const outcome of [
        { name: 'complete', result: undefined },
        { name: 'complete', result: { text: 'a\nb' } },
        { name: 'bury', error },
      ] as const) {
        const { id, task } = await tell({ done: 3, text: 'ü\n' })
        expect(await progressOf(id)).toMatchObject({ done: 3 })
        await stage.cycle({ settled: [{ ...stage.settlement(task, outcome), progressed }] })
        await stage.broker.progress(stage.partition, stage.worker, task, 4)
        const found = await stage.find(id)
        expect(found?.progress).toEqual({ done: 3, text: 'ü\n' })
        expect(found?.result).toEqual('result' in outcome ? outcome.result : undefined)
      }
      const { id } = await tell(7)
      await stage.broker.cancel(stage.partition, [id])
      expect(await progressOf(id)).toBe(7)
    })

    test('of more than 64 KiB goes with its run', async () => {
      const { id, task } = await tell('x'.repeat(70_000))
      await stage.cycle({
        settled: [{ ...stage.settlement(task, { name: 'complete', result: 1 }), progressed }],
      })
      expect(await stage.find(id)).toMatchObject({ state: 'completed', result: 1 })
      expect(await progressOf(id)).toBeUndefined()
    })

    test('of a run that will be repeated is gone', async () => {
      for (const outcome of [
        { name: 'retry', after: minute, error },
        { name: 'release' },
        { name: 'crash', maxDeaths: 2, error },
      ] as const) {
        const { id, task } = await tell(1)
        await stage.cycle({ settled: [{ ...stage.settlement(task, outcome), progressed }] })
        expect(await progressOf(id)).toBeUndefined()
        await stage.broker.cancel(stage.partition, [id])
      }
      const held = await tell(2)
      await stage.broker.giveBack(stage.partition, stage.worker, [held.task])
      expect(await progressOf(held.id)).toBeUndefined()
      await stage.broker.cancel(stage.partition, [held.id])
      const dead = await tell(3)
      await stage.settle(dead.task, { name: 'bury', error })
      await requeue(dead.id)
      expect(await progressOf(dead.id)).toBeUndefined()
    })
  })
}
