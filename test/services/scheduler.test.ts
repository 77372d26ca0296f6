import { describe, expect, onTestFinished, test } from 'vitest'
import type { PluginClient } from '../../src/core/enqueuer.js'
import { RedisDistroError } from '../../src/core/errors.js'
import type { ScheduleRule, Wanted } from '../../src/core/schedule.js'
import { scheduler } from '../../src/services/scheduler.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import { RedisStage } from '../client/redis-stage.js'
import { lineLog } from '../worker/stage.js'

const minute = 60_000
const mismatchGrace = 60 * minute

async function staged() {
  const stage = new RedisStage()
  await stage.open()
  onTestFinished(() => stage.close())
  await stage.join()
  const { schedules: store } = stage.broker
  const log = lineLog()
  const counters = createCounters()
  const types = ['email', 'image']
  const kernel = (client: PluginClient = stage.client, store = stage.broker.schedules) =>
    scheduler({ store, client, types, queueOf, accepts, mismatchGrace, log, counters })
  const refused = new Set<string>()
  const accepts = async ({ task }: Wanted) => !refused.has(task)
  /** The queue of each type, where it is not the client's. */
  const queues = new Map<string, string>()
  const queueOf = (type: string) => queues.get(type)
  /** Keeps a schedule whose first tick is now. */
  const keep = (id: string, parts: Partial<ScheduleRule> = {}) => {
    const rule: ScheduleRule = {
      task: 'email',
      payload: { to: 'a@example.com' },
      tz: 'UTC',
      every: '1m',
      overlap: 'allow',
      misfire: 'once',
      misfireLimit: 100,
      ...parts,
    }
    const record = { rule, source: 'runtime' } as const
    return store.save({ id, revision: 0, record, paused: false, due: stage.now })
  }
  const outcomes = async (id: string) =>
    (await store.history(id)).map(({ tick, outcome, reason, count }) =>
      [tick.slice(11, 19), outcome, reason, count].filter((part) => part !== undefined).join(' '),
    )
  const ids = async () => (await stage.operator.tasks({})).items.map(({ id }) => id).sort()
  return { stage, store, log, counters, kernel, keep, outcomes, ids, refused, queues }
}

const away: PluginClient = {
  enqueue: () => Promise.reject(new RedisDistroError('store_away', 'gone')),
  enqueueMany: () => Promise.reject(new RedisDistroError('store_away', 'gone')),
  task: () => Promise.resolve(undefined),
  cancel: () => Promise.resolve({ ok: false, reason: 'unknown_task' }),
}

describe('the scheduler', () => {
  test('enqueues a tick once, however many kernels look at the same time', async () => {
    const { stage, kernel, keep, ids, outcomes, counters } = await staged()
    await keep('a')
    await keep('b', { every: '2m', options: { priority: 'high', tags: ['x'] } })
    const kernels = Array.from({ length: 10 }, () => kernel())
    const round = () => Promise.all(kernels.map((each) => each.tick()))
    await round()
    stage.now += minute
    await round()
    expect(await ids()).toEqual([
      'a:2026-01-01T12:00:00Z',
      'a:2026-01-01T12:01:00Z',
      'b:2026-01-01T12:00:00Z',
    ])
    expect(await outcomes('a')).toEqual(['12:01:00 enqueued', '12:00:00 enqueued'])
    expect(await stage.operator.task('b:2026-01-01T12:00:00Z')).toMatchObject({
      payload: { to: 'a@example.com' },
      priority: 'high',
      tags: ['x'],
    })
    expect(counters.read()).toEqual([
      { name: 'redisdistro_schedule_ticks_total', labels: { outcome: 'enqueued' }, value: 3 },
    ])
  })

  test('leaves a tick to the next kernel where it was claimed and not enqueued', async () => {
    const { stage, kernel, keep, ids, outcomes, log } = await staged()
    await keep('a')
    await kernel(away).tick()
    expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
    expect(await ids()).toEqual([])
    const other = kernel()
    await other.tick()
    expect(await ids()).toEqual([])
    stage.now += 5000
    await other.tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:00:00Z'])
    expect(await outcomes('a')).toEqual(['12:00:00 enqueued'])
  })

  test('enqueues no second task where only the word of it was lost', async () => {
    const { stage, store, kernel, keep, ids, outcomes } = await staged()
    await keep('a')
    const settle = () => Promise.reject(new RedisDistroError('store_unknown', ''))
    await kernel(stage.client, { ...store, settle }).tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:00:00Z'])
    stage.now += 5000
    await kernel().tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:00:00Z'])
    expect(await outcomes('a')).toEqual(['12:00:00 enqueued'])
  })

  test('tells why a task is refused for good, and goes on with the next tick', async () => {
    const { stage, kernel, keep, log, outcomes } = await staged()
    await keep('a', { payload: { to: 'nobody' } })
    const service = kernel()
    await service.tick()
    stage.now += minute
    await service.tick()
    expect(await outcomes('a')).toEqual([
      expect.stringMatching(/^12:01:00 refused payload of 'email': to: /),
      expect.stringMatching(/^12:00:00 refused payload of 'email': to: /),
    ])
    expect(log.lines).toHaveLength(2)
    expect(log.lines[0]).toMatchObject({ level: 'error' })
  })

  test('leaves what it does not know to those who do, for as long as that takes', async () => {
    const { stage, store, kernel, keep, ids } = await staged()
    for (let n = 0; n < 30; n++) await keep(`stranger-${n}`, { task: 'elsewhere' })
    stage.now += 10 * minute
    await keep('a')
    await kernel().tick()
    expect(await ids()).toEqual([expect.stringMatching(/^a:/)])
    expect(await store.find('stranger-0')).toMatchObject({ due: stage.now - 10 * minute, runs: 0 })
  })

  test('leaves what its own build would refuse to another, and tells of it once', async () => {
    const { stage, kernel, keep, ids, log, refused } = await staged()
    await keep('a')
    refused.add('email')
    const mine = kernel()
    await mine.tick()
    await mine.tick()
    expect(await ids()).toEqual([])
    expect(
      log.lines.filter(({ message }) => message.includes('not one of its type here')),
    ).toHaveLength(1)
    refused.clear()
    stage.now += 1000
    await mine.tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:00:00Z'])
  })

  test('skips a tick while the task of the one before has not ended', async () => {
    const { stage, kernel, keep, outcomes, ids } = await staged()
    await keep('a', { overlap: 'skip' })
    const service = kernel()
    await service.tick()
    stage.now += minute
    await service.tick()
    const [task] = await stage.lease(1)
    stage.now += minute
    await service.tick()
    if (task) await stage.settle(task, { name: 'complete', result: 1 })
    stage.now += minute
    await service.tick()
    expect(await outcomes('a')).toEqual([
      '12:03:00 enqueued',
      '12:02:00 skipped overlap',
      '12:01:00 skipped overlap',
      '12:00:00 enqueued',
    ])
    expect(await ids()).toHaveLength(2)
  })

  test('skips a tick while the one before is still to be enqueued, by whoever claimed it', async () => {
    const { stage, kernel, keep, outcomes, ids } = await staged()
    await keep('a', { overlap: 'skip', every: '2s' })
    await kernel(away).tick()
    const other = kernel()
    stage.now += 2000
    await other.tick()
    expect(await ids()).toEqual([])
    stage.now += 3000
    await other.tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:00:00Z'])
    const [task] = await stage.lease(1)
    if (task) await stage.settle(task, { name: 'complete', result: 1 })
    stage.now += 1000
    await other.tick()
    // What is repeated and what is due are told of side by side.
    expect((await outcomes('a')).sort()).toEqual([
      '12:00:00 enqueued',
      '12:00:02 skipped overlap',
      '12:00:04 skipped overlap',
      '12:00:06 enqueued',
    ])
  })

  test('goes on where the task before has ended, though nobody told of its enqueue', async () => {
    const { stage, store, kernel, keep, ids } = await staged()
    await keep('a', { overlap: 'skip', every: '2s' })
    const settle = () => Promise.reject(new RedisDistroError('store_unknown', ''))
    await kernel(stage.client, { ...store, settle }).tick()
    const [task] = await stage.lease(1)
    if (task) await stage.settle(task, { name: 'complete', result: 1 })
    stage.now += 2000
    await kernel().tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:00:00Z', 'a:2026-01-01T12:00:02Z'])
  })

  test('makes up for what passed while nothing ran as the rule says', async () => {
    const { stage, kernel, keep, outcomes, log } = await staged()
    await keep('once', { overlap: 'skip' })
    await keep('skip', { misfire: 'skip' })
    await keep('backfill', { misfire: 'backfill', misfireLimit: 3, overlap: 'skip' })
    stage.now += 10 * minute
    await kernel().tick()
    expect(await outcomes('once')).toEqual(['12:10:00 enqueued', '12:09:00 skipped misfire 10'])
    expect(await outcomes('skip')).toEqual([
      '12:10:00 enqueued',
      '12:09:00 enqueued',
      '12:08:00 skipped misfire 9',
    ])
    // Those that were missed may overlap, since each was asked for; those within the grace may not.
    expect((await outcomes('backfill')).sort()).toEqual([
      '12:05:00 skipped misfire 6',
      '12:06:00 enqueued',
      '12:07:00 enqueued',
      '12:08:00 enqueued',
      '12:09:00 skipped overlap',
      '12:10:00 skipped overlap',
    ])
    expect(log.lines.map(({ fields }) => fields?.['count']).sort()).toEqual([10, 6, 9])
  })

  test('spreads tasks over the jitter, each due at its own time', async () => {
    const { stage, kernel, keep } = await staged()
    await keep('a', { jitter: '30s' })
    await kernel().tick()
    const { state, runAt = '' } = (await stage.operator.task('a:2026-01-01T12:00:00Z')) ?? {}
    expect(state).toBe('scheduled')
    expect(Date.parse(runAt) - stage.now).toBeGreaterThan(0)
    expect(Date.parse(runAt) - stage.now).toBeLessThanOrEqual(30_000)
  })

  test('counts the expiry of a task from when it is due, its jitter included', async () => {
    const { stage, kernel, keep } = await staged()
    await keep('a', { jitter: '30s', options: { expiresIn: '1s' } })
    await kernel().tick()
    const task = () => stage.operator.task('a:2026-01-01T12:00:00Z')
    const due = Date.parse((await task())?.runAt ?? '')
    expect(due - stage.now).toBeGreaterThan(1000)
    stage.now = due + 999
    await stage.prune()
    expect((await task())?.state).not.toBe('dead')
    stage.now = due + 1000
    await stage.prune()
    expect((await task())?.state).toBe('dead')
  })

  test('ends with the limit', async () => {
    const { stage, store, kernel, keep, ids } = await staged()
    await keep('a', { limit: 2 })
    const service = kernel()
    for (let i = 0; i < 4; i++) {
      await service.tick()
      stage.now += minute
    }
    expect(await ids()).toHaveLength(2)
    expect(await store.find('a')).toMatchObject({ due: undefined, runs: 2 })
  })

  test('counts no skipped tick to the limit', async () => {
    const { stage, kernel, keep, ids, store } = await staged()
    await keep('a', { limit: 2, overlap: 'skip' })
    const mine = kernel()
    await mine.tick()
    stage.now += minute
    await mine.tick()
    expect(await ids()).toHaveLength(1)
    expect(await store.find('a')).toMatchObject({ runs: 1, due: stage.now + minute })
  })

  test('is held up by nothing that is not for it, however much of that is due', async () => {
    const { stage, kernel, keep, ids, log, refused } = await staged()
    const each = (count: number, id: string, parts: Partial<ScheduleRule>) =>
      Promise.all(Array.from({ length: count }, (_, n) => keep(`${id}-${n}`, parts)))
    await each(230, 'stranger', { task: 'elsewhere' })
    await each(30, 'refused', { task: 'image' })
    await each(30, 'broken', { every: undefined, cron: 'never' })
    refused.add('image')
    stage.now += minute
    await keep('a')
    const mine = kernel()
    await mine.tick()
    await mine.tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:01:00Z'])
    const told = (level: string) => log.lines.filter((line) => line.level === level).length
    expect([told('warn'), told('error')]).toEqual([30, 30])
  })

  test('goes on behind schedules whose part of Redis is away', async () => {
    const { stage, kernel, keep, ids } = await staged()
    for (let n = 0; n < 30; n++) await keep(`away-${n}`, { overlap: 'skip' })
    const parted: PluginClient = {
      ...away,
      enqueue: (...task) => stage.client.enqueue(...task),
      task: () => Promise.reject(new RedisDistroError('store_away', 'gone')),
    }
    await kernel().tick()
    await kernel().tick()
    stage.now += minute
    await keep('z')
    const mine = kernel(parted)
    await mine.tick()
    await mine.tick()
    expect((await ids()).filter((id) => id.startsWith('z:'))).toEqual(['z:2026-01-01T12:01:00Z'])
  })

  test('goes on where the queue of the task before is gone', async () => {
    const { stage, store, kernel, keep, ids } = await staged()
    await keep('a', { overlap: 'skip' })
    const due = stage.now
    const tick = { id: 'a', taskId: 'a:1', tick: due, due, task: 'email', payload: {} }
    await store.claim({ id: 'a', revision: 1, due, next: due + minute, ticks: [tick], passed: [] })
    await store.settle(tick, { tick: 't', outcome: 'enqueued' }, 'renamed')
    stage.now += minute
    await kernel().tick()
    expect(await ids()).toEqual(['a:2026-01-01T12:01:00Z'])
  })

  test('repeats a tick in the queue that its type has by now, unless its first is in the former', async () => {
    const { stage, kernel, keep, queues, outcomes } = await staged()
    await keep('a')
    queues.set('email', 'gone')
    await kernel(away).tick()
    await keep('b')
    await keep('c')
    queues.set('email', 'wide')
    await kernel(away).tick()
    const first = { taskId: 'c:2026-01-01T12:00:00Z', queue: 'wide' }
    await stage.client.enqueue('email', { to: 'a@example.com' }, first)
    queues.set('email', 'main')
    stage.now += 5000
    await kernel().tick()
    const { items } = await stage.operator.tasks({})
    const went = Object.fromEntries(items.map(({ id, queue }) => [id.slice(0, 1), queue]))
    expect(went).toEqual({ a: 'main', b: 'main', c: 'wide' })
    for (const id of ['a', 'b', 'c']) expect(await outcomes(id)).toEqual(['12:00:00 enqueued'])
  })

  test('leaves a claimed tick that its own build would refuse to another, for the grace', async () => {
    const { stage, kernel, keep, ids, outcomes, refused } = await staged()
    await keep('a', { payload: { to: 'nobody' }, every: '1d' })
    await kernel(away).tick()
    refused.add('email')
    const mine = kernel()
    stage.now += 5000
    await mine.tick()
    expect(await outcomes('a')).toEqual([])
    stage.now += mismatchGrace
    await mine.tick()
    expect(await ids()).toEqual([])
    expect(await outcomes('a')).toEqual([expect.stringMatching(/^12:00:00 refused payload of/)])
  })
})
