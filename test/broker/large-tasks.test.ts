import { afterEach, beforeEach, expect, test } from 'vitest'
import { testRedisUrl } from '../support/redis.js'
import { Stage } from './stage.js'

/** Keeps nothing of what has ended. */
const limit = { age: 86_400_000, count: 0 }
const none = { completed: limit, dead: limit, cancelled: limit }

let stage: Stage
beforeEach(async () => {
  stage = new Stage({ url: testRedisUrl() })
  await stage.open()
})
afterEach(() => stage.broker.close())

test('a page of large active tasks is cut, and all large ones that are asked for are found', async () => {
  const payload = 'x'.repeat(2_000_000)
  for (let i = 0; i < 6; i += 1) await stage.add({ body: { ...stage.task().body, payload } })
  const leased = await stage.lease(6)
  const ids = leased.map(({ id }) => id).sort()
  const call = { state: 'active', limit: 100 } as const
  const page = await stage.broker.list(stage.partition, call)
  expect(page).toMatchObject({ cut: true, next: expect.any(String) })
  expect(page.tasks.map(({ id }) => id)).toEqual(ids.slice(0, 3))
  const { next: after = '' } = page
  const rest = await stage.broker.list(stage.partition, { ...call, after })
  expect(rest.tasks.map(({ id }) => id)).toEqual(ids.slice(3))
  const found = await stage.broker.find(stage.partition, [...ids, 'never', ...ids])
  expect(found.map((task) => task?.id)).toEqual([...ids, undefined, ...ids])
})

test('a round of retention takes large tasks in parts, and tells each of them', async () => {
  const body = { ...stage.task().body, payload: 'x'.repeat(1_000_000) }
  const states = ['completed', 'dead', 'cancelled'] as const
  for (const state of states) {
    for (let i = 0; i < 12; i += 1) await stage.bring(state, { body })
  }
  for (let i = 0; i < 6; i += 1) await stage.add({ body, expiresIn: 100 })
  stage.now += 200
  const from = await stage.broker.listen(stage.partition, 60_000)
  const pruned = await stage.broker.prune(stage.partition, none)
  expect(pruned).toMatchObject({ completed: 12, cancelled: 12, expired: 6 })
  // Those that expired in the last part of it are dead letters now.
  await stage.broker.prune(stage.partition, none)
  const entries = await stage.broker.told(stage.partition, { from, to: '+', count: 1000 })
  const told = entries
    .flatMap(({ events }) => events)
    .filter(({ transition }) => transition === 'prune')
  expect(new Set(told.map(({ id }) => id)).size).toBe(42)
  expect(told.every(({ type }) => type === 'noop')).toBe(true)
  const { depth } = await stage.broker.counts(stage.partition)
  expect(depth).toMatchObject({ completed: 0, dead: 0, cancelled: 0, waiting: 0 })
})
