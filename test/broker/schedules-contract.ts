import { beforeEach, expect, onTestFinished, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import type { ScheduleRule } from '../../src/core/schedule.js'
import type {
  PendingTick,
  ScheduleChange,
  ScheduleStore,
  TickClaim,
} from '../../src/core/schedule-store.js'
import { Stage } from './stage.js'

const rule: ScheduleRule = {
  task: 'note',
  payload: { n: 1 },
  tz: 'UTC',
  every: '1m',
  overlap: 'skip',
  misfire: 'once',
  misfireLimit: 100,
}
const record = { rule, source: 'runtime' } as const

const tickOf = (id: string, tick: number): PendingTick => ({
  id,
  taskId: `${id}:${tick}`,
  tick,
  due: tick,
  task: 'note',
  payload: { n: 'ü\n' },
})

/** What every store of schedules must do, as scripts of Redis and in process. */
export function schedulesContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  let store: ScheduleStore

  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.broker.open()
    onTestFinished(() => stage.broker.close())
    store = stage.broker.schedules
  })

  const save = (id: string, due: number | undefined, parts: Partial<ScheduleChange> = {}) =>
    store.save({ id, revision: 0, record, paused: false, due, ...parts })

  /** All, page by page. */
  const list = async (limit: number) => {
    const pages: string[][] = []
    let after: string | undefined
    do {
      const { schedules, next } = await store.page({ after, limit })
      pages.push(schedules.map(({ id }) => id))
      after = next
    } while (after !== undefined)
    return pages
  }

  const claim = (id: string, parts: Partial<TickClaim> = {}) =>
    store.claim({
      id,
      revision: 1,
      due: stage.now,
      next: stage.now + 60_000,
      ticks: [tickOf(id, stage.now)],
      passed: [],
      ...parts,
    })

  test('keeps a schedule, and changes it only as it was seen', async () => {
    expect(await save('constructor', stage.now)).toBe(true)
    expect(await save('constructor', stage.now)).toBe(false)
    expect(await store.find('constructor')).toEqual({
      id: 'constructor',
      revision: 1,
      ...record,
      due: stage.now,
      paused: false,
      runs: 0,
      last: undefined,
    })
    const other = { ...record, rule: { ...rule, task: 'other' } }
    const seen = stage.now
    const change = { id: 'constructor', seen, record: other, paused: true, due: undefined }
    expect(await store.save({ ...change, revision: 2 })).toBe(false)
    expect(await store.save({ ...change, revision: 1 })).toBe(true)
    expect(await store.find('constructor')).toMatchObject({
      revision: 2,
      paused: true,
      rule: other.rule,
    })
    expect(await store.find('none')).toBeUndefined()
  })

  test('forgets what it ran where it begins anew', async () => {
    await save('a', stage.now)
    await claim('a')
    await store.note('a', { tick: '1', outcome: 'enqueued' })
    const seen = stage.now + 60_000
    expect(await save('a', seen, { revision: 1, seen, fresh: true })).toBe(true)
    expect(await store.find('a')).toMatchObject({
      revision: 2,
      due: seen,
      runs: 0,
      last: undefined,
    })
    expect(await store.history('a')).toEqual([])
  })

  test('lists by id in pages, whatever their number and size', async () => {
    expect(await list(10)).toEqual([[]])
    for (const id of ['b', 'a:1', 'Z', 'a', 'constructor', 'gone']) await save(id, undefined)
    await store.remove('gone', 1)
    expect(await list(2)).toEqual([['Z', 'a'], ['a:1', 'b'], ['constructor']])
    expect(await list(5)).toEqual([['Z', 'a', 'a:1', 'b', 'constructor']])
    const large = { ...record, rule: { ...rule, payload: 'x'.repeat(3 * 1024 * 1024) } }
    await save('b', undefined, { revision: 1, record: large })
    await save('constructor', undefined, { revision: 1, record: large })
    await save('d', undefined)
    expect(await list(5)).toEqual([['Z', 'a', 'a:1', 'b', 'constructor'], ['d']])
  })

  test('finds what is due and what comes next', async () => {
    expect(await store.look(['note'])).toEqual({
      now: stage.now,
      due: [],
      next: undefined,
      stale: [],
      rest: undefined,
    })
    await save('b', stage.now + 5000)
    await save('a', stage.now)
    await save('ended', undefined)
    const { due, next } = await store.look(['note'])
    expect(due.map(({ id }) => id)).toEqual(['a'])
    expect(next).toBe(stage.now + 5000)
  })

  test('gives who looks what is of task types that it knows', async () => {
    await save('a', stage.now)
    expect((await store.look([])).due).toEqual([])
    expect((await store.look(['other', 'constructor'])).due).toEqual([])
    await claim('a')
    stage.now += 5000
    expect((await store.look(['other'])).stale).toEqual([])
    expect((await store.look(['other', 'note'])).stale).toHaveLength(1)
  })

  test('goes on behind what is not for who looks', async () => {
    const other = { ...record, rule: { ...rule, task: 'other' } }
    const strangers = Array.from({ length: 230 }, (_, i) => `other-${i}`)
    await Promise.all(strangers.map((id) => save(id, stage.now - 1, { record: other })))
    await save('a', stage.now)
    const first = await store.look(['note'])
    expect(first).toMatchObject({ due: [], rest: { due: 200, stale: 0 } })
    const second = await store.look(['note'], first.rest)
    expect(second).toMatchObject({ due: [{ id: 'a' }], rest: undefined })
  })

  test('gives a tick to the first who claims it', async () => {
    await save('a', stage.now)
    const claims = await Promise.all([claim('a'), claim('a'), claim('a')])
    expect(claims).toEqual([true, false, false])
    expect(await store.find('a')).toMatchObject({
      due: stage.now + 60_000,
      runs: 1,
      last: { tick: stage.now, taskId: `a:${stage.now}`, pending: true },
    })
  })

  test('refuses a claim of a schedule that changed, is paused or gone', async () => {
    await save('a', stage.now)
    await save('a', stage.now, { revision: 1, seen: stage.now })
    expect(await claim('a')).toBe(false)
    expect(await claim('a', { revision: 2, due: stage.now - 1 })).toBe(false)
    await save('a', undefined, { revision: 2, seen: stage.now, paused: true })
    expect(await claim('a', { revision: 3 })).toBe(false)
    expect(await claim('b', { revision: 0 })).toBe(false)
    expect((await store.find('a'))?.runs).toBe(0)
  })

  test('changes no schedule whose tick was claimed meanwhile', async () => {
    const seen = stage.now
    await save('a', seen)
    await claim('a')
    expect(await save('a', seen + 1000, { revision: 1, seen })).toBe(false)
    expect(await save('a', seen + 1000, { revision: 1, seen: seen + 60_000 })).toBe(true)
    expect(await store.find('a')).toMatchObject({ revision: 2, due: seen + 1000, runs: 1 })
  })

  test('gives a claimed tick that nobody settled to one who looks, after some seconds', async () => {
    await save('a', stage.now)
    const tick = tickOf('a', stage.now)
    await claim('a')
    expect((await store.look(['note'])).stale).toEqual([])
    stage.now += 5000
    expect((await store.look(['note'])).stale).toEqual([tick])
    expect((await store.look(['note'])).stale).toEqual([])
    stage.now += 5000
    expect((await store.look(['note'])).stale).toEqual([tick])
    await store.settle(tick, { tick: 't', outcome: 'enqueued', taskId: tick.taskId }, 'default')
    stage.now += 5000
    expect((await store.look(['note'])).stale).toEqual([])
    expect((await store.find('a'))?.last).toEqual({
      tick: tick.tick,
      taskId: tick.taskId,
      pending: false,
      queue: 'default',
    })
  })

  test('tells of a tick once, however often it is settled', async () => {
    await save('a', stage.now)
    await claim('a', { passed: [{ tick: 'before', outcome: 'skipped', reason: 'misfire' }] })
    const tick = tickOf('a', stage.now)
    await store.settle(tick, { tick: 'one', outcome: 'refused', reason: 'no "type"\nhere' })
    await store.settle(tick, { tick: 'two', outcome: 'enqueued' })
    const at = new Date(stage.now).toISOString()
    expect(await store.history('a')).toEqual([
      { tick: 'one', outcome: 'refused', reason: 'no "type"\nhere', at },
      { tick: 'before', outcome: 'skipped', reason: 'misfire', at },
    ])
  })

  test('keeps the last 50 runs', async () => {
    await save('a', stage.now)
    const passed = Array.from({ length: 59 }, (_, i) => {
      return { tick: `${i + 1}`, outcome: 'skipped', reason: 'overlap' } as const
    })
    await claim('a', { ticks: [], passed })
    await store.note('a', { tick: '60', outcome: 'enqueued' })
    const history = await store.history('a')
    expect(history.map(({ tick }) => tick)).toEqual(
      Array.from({ length: 50 }, (_, i) => `${60 - i}`),
    )
  })

  test('removes a schedule with its history; what was claimed is still to be enqueued', async () => {
    await save('a', stage.now)
    await claim('a')
    await store.note('a', { tick: '1', outcome: 'enqueued' })
    expect(await store.remove('a', 7)).toBe(false)
    expect(await store.remove('a', 1)).toBe(true)
    expect(await store.find('a')).toBeUndefined()
    expect(await store.history('a')).toEqual([])
    stage.now += 5000
    const { due, stale } = await store.look(['note'])
    expect({ due, stale: stale.map(({ id }) => id) }).toEqual({ due: [], stale: ['a'] })
    await store.settle(tickOf('a', stage.now - 5000), { tick: '1', outcome: 'enqueued' })
    expect(await store.history('a')).toEqual([])
  })
}
