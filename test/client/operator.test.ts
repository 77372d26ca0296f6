import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TaskFilter } from '../../src/client/contract.js'
import type { Task } from '../../src/core/task.js'
import { noon, RedisStage, to } from './redis-stage.js'

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
})
afterEach(() => stage.close())

const emails = (count: number, options?: Record<string, unknown>) =>
  stage.client.enqueueMany(
    'email',
    Array.from({ length: count }, (_, n) => to(n)),
    options,
  )

const images = (count: number, options?: Record<string, unknown>) =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      stage.client.enqueue('image', { url: `https://example.com/${n}` }, options),
    ),
  )

async function allPages(filter: TaskFilter): Promise<{ items: Task[]; pages: number }> {
  const items: Task[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const page = await stage.operator.tasks({ ...filter, cursor })
    items.push(...page.items)
    pages++
    expect(page.items.length).toBeLessThanOrEqual(filter.limit ?? 50)
    cursor = page.cursor
  } while (cursor !== undefined)
  return { items, pages }
}

test('a list leads page by page through queues, partitions and states, each task once', async () => {
  const made = [
    ...(await emails(30)),
    ...(await emails(20, { delay: '1h' })),
    ...(await images(70)),
  ]
  await stage.join()
  await stage.lease(5)
  const { items } = await allPages({ limit: 7 })
  expect(items.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort())
  expect(items.filter(({ state }) => state === 'active')).toHaveLength(5)
  const { items: waiting, pages } = await allPages({ queue: 'default', state: 'waiting', limit: 5 })
  expect(waiting.map(({ payload }) => payload)).toEqual(
    Array.from({ length: 25 }, (_, n) => to(n + 5)),
  )
  expect(pages).toBe(5)
})

test('a filter finds every task of its type and tag, however rare', async () => {
  await images(300)
  await images(3, { tags: ['rare'] })
  await images(100)
  await emails(10)
  expect((await allPages({ tag: 'rare', limit: 2 })).items).toHaveLength(3)
  expect((await allPages({ type: 'email', limit: 4 })).items).toHaveLength(10)
  expect((await allPages({ type: 'email', queue: 'wide' })).items).toEqual([])
})

test('a cursor that is none, or of another list, is refused', async () => {
  await emails(3)
  const { cursor } = await stage.operator.tasks({ state: 'waiting', limit: 2 })
  expect(cursor).toBeDefined()
  const forged = (after: string) =>
    Buffer.from(JSON.stringify(['main', 'waiting', after, 0])).toString('base64url')
  const strange = [{ cursor: forged('x') }, { cursor: forged('x y') }, { cursor: 'junk' }]
  for (const filter of [...strange, { state: 'dead', cursor } as const]) {
    await expect(stage.operator.tasks(filter)).rejects.toMatchObject({ code: 'bad_option' })
  }
})

test('an unknown queue is named with those that there are', async () => {
  await expect(stage.operator.queue('nowhere')).rejects.toMatchObject({
    code: 'unknown_queue',
    message: "no queue 'nowhere'; there are main, wide",
  })
})

test('a queue that has left the config stays listed while the catalogue has it', async () => {
  await stage.broker.publish({ types: [], queues: [{ queue: 'old', partitions: 2 }] })
  const names = (await stage.operator.queues()).map(({ name }) => name)
  expect(names).toEqual(['main', 'wide', 'old'])
})

test('a queue tells depth, age, throughput and workers', async () => {
  await stage.join()
  await emails(3)
  const [leased] = await stage.lease(1)
  if (leased) await stage.settle(leased, { name: 'complete', result: 1 })
  stage.now += 60_000
  expect(await stage.operator.queue('default')).toMatchObject({
    name: 'main',
    paused: false,
    partitions: 1,
    depth: { waiting: 2, completed: 1 },
    oldestWaitingAge: 60_000,
    throughput: { enqueued: 3 / 60, completed: 1 / 60, failed: 0 },
  })
  expect(await stage.operator.stats()).toMatchObject({
    at: new Date(noon + 60_000).toISOString(),
    depth: { waiting: 2, completed: 1 },
    total: { enqueued: 3, completed: 1 },
    lastMinute: { enqueued: 3 },
    lastHour: { enqueued: 3 },
    latencies: { wait: 0, run: 0 },
  })
})

test('a paused queue says so, to whoever asks for it or for its tasks', async () => {
  const [task] = await emails(1)
  expect(await stage.operator.pause('default')).toMatchObject({ name: 'main', paused: true })
  expect(await stage.operator.task(task?.id ?? '')).toMatchObject({
    why: "queue 'main' is paused; first in line",
  })
  expect(await stage.operator.resume('main')).toMatchObject({ paused: false })
})

test('a worker is listed with what it runs', async () => {
  await stage.join()
  await emails(2)
  const leased = await stage.lease(2)
  const [worker] = await stage.operator.workers()
  expect(worker).toMatchObject({ id: 'w', queue: 'main', host: 'here', concurrency: 5 })
  expect([...(worker?.running ?? [])].sort()).toEqual(leased.map(({ id }) => id).sort())
})

test('whoever waits for tasks gets each when it has ended', async () => {
  await stage.join()
  const made = await emails(3)
  const [first = '', second = '', third = ''] = made.map(({ id }) => id)
  const waits = [first, second].map((id) => stage.operator.waitFor(id, 10_000))
  const short = stage.operator.waitFor(third, 60)
  const leased = await stage.lease(3)
  for (const task of leased.slice(0, 2)) {
    await stage.settle(task, { name: 'complete', result: task.id })
  }
  expect(await Promise.all(waits)).toMatchObject([
    {
      id: first,
      state: 'completed',
      result: first,
      attempt: 1,
      attempts: [{ outcome: 'complete' }],
    },
    { id: second, state: 'completed', result: second },
  ])
  expect(await short).toMatchObject({ state: 'active' })
  expect(await stage.operator.waitFor('nobody', 10_000)).toBeUndefined()
})

test('a wait ends with its caller', async () => {
  const [task] = await emails(1)
  const caller = new AbortController()
  const wait = stage.operator.waitFor(task?.id ?? '', 60_000, { signal: caller.signal })
  caller.abort()
  expect(await wait).toMatchObject({ state: 'waiting' })
})

test('tasks are promoted, requeued and erased, each from its own states', async () => {
  await stage.join()
  const [task] = await emails(1, { delay: '1h' })
  const id = task?.id ?? ''
  expect(await stage.operator.erase(id)).toEqual({
    ok: false,
    reason: 'wrong_state',
    state: 'scheduled',
  })
  expect(await stage.operator.promote(id)).toMatchObject({
    ok: true,
    from: 'scheduled',
    task: { state: 'waiting' },
  })
  await stage.bury(1)
  expect(await stage.operator.task(id)).toMatchObject({
    state: 'dead',
    deadLetter: 'dead',
    why: 'Error: it broke',
  })
  expect(await stage.operator.requeue(id)).toMatchObject({
    ok: true,
    from: 'dead',
    task: { state: 'waiting' },
  })
  await stage.operator.cancel(id)
  expect(await stage.operator.erase(id)).toEqual({ ok: true, from: 'cancelled', task: undefined })
  expect(await stage.operator.task(id)).toBeUndefined()
})

test('a retryable task says which of its attempts it waits for', async () => {
  await stage.join()
  const [task] = await emails(1)
  const [leased] = await stage.lease(1)
  const error = { name: 'Error', message: 'no route' }
  if (leased) await stage.settle(leased, { name: 'retry', after: 12_000, error })
  expect(await stage.operator.task(task?.id ?? '')).toMatchObject({
    state: 'retryable',
    attempt: 1,
    why: 'waits 12s, until 2026-01-01T12:00:12.000Z, for attempt 2 of 10 after Error: no route',
  })
})

test('dead letters are counted, browsed and sent again by filter, chunk by chunk', async () => {
  await stage.join()
  await emails(1200)
  await stage.bury(700, 'mailbox full')
  await stage.bury(500, 'no route')
  expect(await stage.operator.deadLetters()).toEqual([{ key: 'dead', count: 1200 }])
  const page = await stage.operator.deadLetter('dead', { error: 'full', limit: 10 })
  expect(page.items).toHaveLength(10)
  expect(page.items.every(({ why }) => why === 'Error: mailbox full')).toBe(true)
  stage.now += 1000
  const seen: number[] = []
  expect(await stage.operator.requeueDead('dead', { error: 'full' }, (n) => seen.push(n))).toEqual({
    requeued: 700,
    skipped: 0,
  })
  expect(seen.at(-1)).toBe(700)
  expect(seen.length).toBeGreaterThan(1)
  expect((await stage.operator.queue('main')).depth).toMatchObject({ waiting: 700, dead: 500 })
  expect(await stage.operator.purgeDead('dead', { type: 'image' })).toBe(0)
  expect(await stage.operator.purgeDead('dead', {})).toBe(500)
  expect(await stage.operator.deadLetters()).toEqual([])
})

test('a requeue says who holds the unique key, and a replay skips whose key is held', async () => {
  await stage.join()
  const made = []
  for (let n = 0; n < 3; n++) {
    made.push(await stage.client.enqueue('email', to(n), { uniqueKey: 'one' }))
    await stage.bury(1)
  }
  await emails(1)
  await stage.bury(1)
  stage.now += 1000
  const holder = await stage.client.enqueue('email', to(9), { uniqueKey: 'one' })
  expect(await stage.operator.requeue(made[0]?.id ?? '')).toEqual({
    ok: false,
    reason: 'unique_held',
    state: 'dead',
    holder: holder.id,
  })
  expect(await stage.operator.requeueDead('dead', {})).toEqual({ requeued: 1, skipped: 3 })
  await stage.operator.cancel(holder.id)
  expect(await stage.operator.requeueDead('dead', {})).toEqual({ requeued: 1, skipped: 2 })
})

test('a replay ends, though what it sends dies at once again', async () => {
  await stage.join()
  await emails(20)
  await stage.bury(20)
  stage.now += 1000
  const { requeue } = stage.broker
  stage.broker.requeue = async (partition, ids) => {
    const moved = await requeue.call(stage.broker, partition, ids)
    stage.now += 1
    await stage.bury(ids.length, 'again')
    return moved
  }
  expect(await stage.operator.requeueDead('dead', {})).toEqual({ requeued: 20, skipped: 0 })
  expect(await stage.operator.deadLetters()).toEqual([{ key: 'dead', count: 20 }])
})

test('dead letters of an enqueuer whose clock is ahead go back too, and end no earlier than they began', async () => {
  stage.skew = 500
  const [first] = await emails(3)
  stage.skew = 0
  await stage.join()
  await stage.bury(3)
  const shown = await stage.operator.task(first?.id ?? '')
  expect(shown?.state).toBe('dead')
  expect(Date.parse(shown?.endedAt ?? '')).toBeGreaterThanOrEqual(
    Date.parse(shown?.enqueuedAt ?? ''),
  )
  expect(await stage.operator.requeueDead('dead', {})).toEqual({ requeued: 3, skipped: 0 })
})

test('a page of large tasks is cut short, and its cursor leads to all of them', async () => {
  const body = 'x'.repeat(900_000)
  const large = Array.from({ length: 40 }, (_, n) => ({ ...to(n), body: `${body}${n}` }))
  for (const payload of large) await stage.client.enqueue('email', payload)
  await emails(10)
  const limits = [{ limit: 1000 }, { limit: 50 }, { limit: 100, type: 'email' }]
  for (const filter of [...limits, { limit: 1000, state: 'waiting' }] as const) {
    const first = await stage.operator.tasks(filter)
    expect(first.items.length).toBeGreaterThan(3)
    expect(first.items.length).toBeLessThan(25)
    const { items, pages } = await allPages(filter)
    expect(new Set(items.map(({ id }) => id)).size).toBe(50)
    expect(items).toHaveLength(50)
    expect(pages).toBeLessThan(6)
  }
  await stage.join()
  await stage.lease(30)
  const active = { limit: 1000, state: 'active' } as const
  expect((await stage.operator.tasks(active)).items.length).toBeLessThan(25)
  const { items, pages } = await allPages(active)
  expect(new Set(items.map(({ id }) => id)).size).toBe(30)
  expect(items).toHaveLength(30)
  expect(pages).toBeLessThan(6)
})

test('a filtered list whose shown tasks leave passes over none of the others', async () => {
  for (let n = 0; n < 60; n++) {
    await emails(1)
    await images(1, { queue: 'default' })
  }
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await stage.operator.tasks({ state: 'waiting', type: 'image', limit: 5, cursor })
    for (const { id } of page.items) {
      seen.add(id)
      await stage.operator.cancel(id)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  expect(seen.size).toBe(60)
})

test('a list of very many active tasks of which many end passes over none of those that stay', async () => {
  await emails(1500)
  await stage.join()
  await stage.lease(1500)
  const stay = new Set<string>()
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await stage.operator.tasks({ state: 'active', limit: 50, cursor })
    expect(page.items.length).toBeLessThanOrEqual(50)
    for (const [n, { id }] of page.items.entries()) {
      seen.add(id)
      if (n % 2 === 0) await stage.operator.cancel(id)
      else stay.add(id)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  const { items } = await allPages({ state: 'active', limit: 1000 })
  expect(items.filter(({ id }) => !seen.has(id))).toEqual([])
  expect(items).toHaveLength(stay.size)
})
