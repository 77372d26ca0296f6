import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { EventFilter } from '../../src/client/contract.js'
import type { EventFeed } from '../../src/client/event-feed.js'
import { testPrefix, testRedisUrl } from '../support/redis.js'
import { idsOf, take } from './feed-reader.js'
import { RedisStage, to } from './redis-stage.js'

const prefix = { now: '' }
const redis = new Redis(testRedisUrl())
let stage: RedisStage

afterAll(() => redis.disconnect())

async function makeStage(): Promise<RedisStage> {
  const made = new RedisStage({ prefix: prefix.now })
  await made.open()
  onTestFinished(() => made.close())
  return made
}

beforeEach(async () => {
  prefix.now = testPrefix()
  stage = new RedisStage({ prefix: prefix.now })
  await stage.open()
})
afterEach(() => stage.close())

async function listen(filter: EventFilter = {}, after?: string, on = stage): Promise<EventFeed> {
  const feed = await on.operator.events(filter, after)
  onTestFinished(() => feed.close())
  return feed
}

test('every listener hears each move once, in order', async () => {
  const feeds = await Promise.all([listen(), listen(), listen({ queue: 'default' })])
  await stage.join()
  const { id } = await stage.client.enqueue('email', to(1))
  const [task] = await stage.lease(1)
  if (!task) throw new Error('nothing was leased')
  await stage.settle(task, { name: 'complete', result: 1 })
  const heard = await Promise.all(feeds.map((feed) => take(feed, 3)))
  for (const { words } of heard) {
    expect(words).toEqual([`enqueue ${id}`, `lease ${id}`, `complete ${id}`])
  }
})

test('a filter picks by type, by task and by queue', async () => {
  const image = { url: 'https://example.com/a.png' }
  const others = await stage.client.enqueueMany('image', [image, image])
  const type = await listen({ type: 'email' })
  const queue = await listen({ queue: 'wide' })
  const one = await listen({ task: others[1]?.id ?? '' })
  const first = await stage.client.enqueue('image', image)
  const email = await stage.client.enqueue('email', to(1))
  for (const { id } of others) await stage.operator.cancel(id)
  expect((await take(type, 1)).words).toEqual([`enqueue ${email.id}`])
  expect((await take(queue, 3)).words.sort()).toEqual(
    [`enqueue ${first.id}`, ...others.map(({ id }) => `cancel ${id}`)].sort(),
  )
  expect((await take(one, 1)).words).toEqual([`cancel ${others[1]?.id}`])
})

test('who comes again hears what it missed and nothing twice, also in the middle of a batch', async () => {
  const feed = await listen()
  const many = await stage.client.enqueueMany('email', [1, 2, 3, 4, 5, 6, 7].map(to))
  const messages = await feed.next(8000)
  expect(messages).toHaveLength(7)
  const third = messages[2]
  if (third === undefined) throw new Error('too few')
  feed.close()
  const image = await stage.client.enqueue('image', { url: 'https://example.com/b.png' })
  const again = await listen({}, third.cursor)
  const later = await stage.client.enqueue('email', to(8))
  const { words, cursor } = await take(again, 6)
  const missed = [...many.slice(3), image, later].map(({ id }) => id)
  expect(idsOf(words).sort()).toEqual(missed.sort())
  again.close()
  const last = await listen({}, cursor)
  const { id } = await stage.client.enqueue('email', to(9))
  expect(idsOf((await take(last, 1)).words)).toEqual([id])
})

test('who comes again to another process goes on there', async () => {
  const other = await makeStage()
  const feed = await listen({ queue: 'default' })
  const { cursor } = feed
  const { id } = await stage.client.enqueue('email', to(1))
  await take(feed, 1)
  feed.close()
  expect(idsOf((await take(await listen({ queue: 'default' }, cursor, other), 1)).words)).toEqual([
    id,
  ])
})

test('a listener hears what another process does', async () => {
  const other = await makeStage()
  const feed = await listen()
  const { id } = await other.client.enqueue('email', to(1))
  expect(idsOf((await take(feed, 1)).words)).toEqual([id])
})

test('a place that is no longer kept is a gap, and then it goes on', async () => {
  const feed = await listen({ queue: 'default' })
  const { cursor } = feed
  feed.close()
  // As after a time in which nobody listened.
  stage.now += 60_000
  const again = await listen({ queue: 'default' }, cursor)
  const { id } = await stage.client.enqueue('email', to(1))
  expect((await take(again, 2)).words).toEqual(['gap main', `enqueue ${id}`])
})

test('a place that is yet to come is a gap, and then it goes on', async () => {
  const feed = await listen({ queue: 'default' })
  const { cursor } = feed
  feed.close()
  const future = cursor.replace(/\.[^.]+/, `.${(Date.now() + 3_600_000).toString(36)}`)
  const again = await listen({ queue: 'default' }, future)
  const { id } = await stage.client.enqueue('email', to(1))
  const { words, cursor: last } = await take(again, 2)
  expect(words).toEqual(['gap main', `enqueue ${id}`])
  again.close()
  const next = await stage.client.enqueue('email', to(2))
  const { words: after } = await take(await listen({ queue: 'default' }, last), 1)
  expect(after).toEqual([`enqueue ${next.id}`])
})

test('of a queue that an id does not name all that is kept is told', async () => {
  const wide = await listen({ queue: 'wide' })
  const main = await listen({ queue: 'default' })
  const first = await stage.client.enqueue('email', to(1))
  await take(main, 1)
  const again = await listen({ queue: 'default' }, wide.cursor)
  const later = await stage.client.enqueue('email', to(2))
  const wanted = [`enqueue ${first.id}`, `enqueue ${later.id}`]
  expect((await take(again, 2)).words).toEqual(wanted)
})

test('who comes again before anything was told of a queue hears no gap', async () => {
  const wide = await listen({ queue: 'wide' })
  const feed = await listen({ queue: 'default' }, wide.cursor)
  expect(await feed.next(0)).toEqual([])
  const again = await listen({ queue: 'default' }, feed.cursor)
  const { id } = await stage.client.enqueue('email', to(1))
  expect((await take(again, 1)).words).toEqual([`enqueue ${id}`])
})

test('of what is kept of a queue that an id does not name, gaps are told', async () => {
  const wide = await listen({ queue: 'wide' })
  const feed = await listen({ queue: 'default' })
  await stage.client.enqueue('email', to(1))
  await take(feed, 1)
  feed.close()
  stage.now += 60_000
  const main = await listen({ queue: 'default' })
  const { id } = await stage.client.enqueue('email', to(2))
  await take(main, 1)
  const { words } = await take(await listen({ queue: 'default' }, wide.cursor), 3)
  expect(words.slice(1)).toEqual(['gap main', `enqueue ${id}`])
  await redis.xtrim(`${prefix.now}:{main}:events`, 'MAXLEN', 1)
  const cut = await take(await listen({ queue: 'default' }, wide.cursor), 2)
  expect(cut.words).toEqual(['gap main', `enqueue ${id}`])
})

test('what something else wrote where events lie is a gap, and then it goes on', async () => {
  const feed = await listen({ queue: 'default' })
  await redis.xadd(`${prefix.now}:{main}:events`, '*', 'at', 'noon', 'enqueue waiting', 'x y z')
  const { id } = await stage.client.enqueue('email', to(1))
  expect((await take(feed, 2)).words).toEqual(['gap main', `enqueue ${id}`])
})

test('a cursor that is none is refused in words', async () => {
  for (const after of ['', 'nonsense', 'abcdef.1', '~']) {
    await expect(listen({}, after)).rejects.toMatchObject({
      code: 'bad_option',
      issues: [{ path: 'lastEventId' }],
    })
  }
})

test('a listener that does not keep up is cut off, and others go on', async () => {
  const slow = await listen({ queue: 'default' })
  const quick = await listen({ queue: 'default' })
  let heard = 0
  const payloads = Array.from({ length: 250 }, (_, n) => to(n))
  while (!slow.slow.aborted) {
    await stage.client.enqueueMany('email', payloads)
    heard += (await take(quick, 250)).words.length
  }
  expect(await slow.next(0)).toEqual([])
  expect(heard).toBeGreaterThanOrEqual(20_000)
  expect(quick.closed).toBe(false)
})
