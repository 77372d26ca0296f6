import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { EventFeed } from '../../src/client/event-feed.js'
import { EventHub } from '../../src/client/event-hub.js'
import type { Partition } from '../../src/core/broker.js'
import { RedisDistroError } from '../../src/core/errors.js'
import type { EventEntry } from '../../src/core/event.js'
import { away, brokerOf, full, unanswered } from './fake-broker.js'
import { take } from './feed-reader.js'

const partition = (queue: string): Partition => ({ queue, index: 0, of: 1 })
const [first, second] = [partition('first'), partition('second')]

type Told = Map<Partition, EventEntry[]>

/** A hub over a broker whose answers the test gives. */
function makeStage() {
  const asked: Partition[] = []
  const calls: { after: ReadonlyMap<Partition, string>; answer(told: Told): void }[] = []
  const parts = {
    listening: async (): Promise<string> => '5-0',
    partitions: [first],
    open: 0,
  }
  const broker = brokerOf({
    listen: (one) => {
      asked.push(one)
      return parts.listening()
    },
    laneOf: async () => 'lane',
    follow: (after, _ms, signal) =>
      new Promise((resolve) => {
        parts.open += 1
        const answer = (told: Told) => {
          parts.open -= 1
          resolve(told)
        }
        calls.push({ after, answer })
        signal.addEventListener('abort', () => answer(new Map()), { once: true })
      }),
  })
  const hub = new EventHub(broker)
  const open = () => hub.open({ test: {}, partitions: async () => parts.partitions })
  return { parts, asked, calls, hub, open }
}

const entry = (id: string): EventEntry => ({
  id,
  begins: false,
  events: [
    {
      id: `task-${id}`,
      type: 'any',
      queue: 'first',
      transition: 'enqueue',
      state: 'waiting',
      at: '2026-01-01T00:00:00.000Z',
    },
  ],
})

/** A promise that the test settles. */
function gate() {
  let resolve: (value: string) => void = () => undefined
  const promise = new Promise<string>((settled) => {
    resolve = settled
  })
  return { promise, resolve }
}

/** Lets everything go on that waits for nothing but its turn. */
const settle = () => vi.advanceTimersByTimeAsync(0)

/** Past the next asking for partitions, and until they are followed. */
const askAgain = () => vi.advanceTimersByTimeAsync(5000 + 50)

let stage: ReturnType<typeof makeStage>
beforeEach(() => {
  vi.useFakeTimers()
  stage = makeStage()
})
afterEach(() => {
  stage.hub.close()
  vi.useRealTimers()
})

async function nothingIsLeft() {
  await settle()
  expect(stage.parts.open).toBe(0)
  const before = stage.asked.length
  await vi.advanceTimersByTimeAsync(60_000)
  expect(stage.asked).toHaveLength(before)
  expect(vi.getTimerCount()).toBe(0)
}

test('who comes and goes leaves nothing', async () => {
  for (let i = 0; i < 100; i++) (await stage.open()).close()
  await nothingIsLeft()
})

test('who leaves while it joins a partition leaves nothing', async () => {
  const feed = await stage.open()
  await settle()
  const joining = gate()
  stage.parts.listening = () => joining.promise
  stage.parts.partitions = [first, second]
  await askAgain()
  expect(stage.asked.at(-1)).toBe(second)
  feed.close()
  joining.resolve('5-0')
  await nothingIsLeft()
})

test('who leaves while others come disturbs none of them', async () => {
  const feed = await stage.open()
  const coming = gate()
  stage.parts.listening = () => coming.promise
  stage.parts.partitions = [first, second]
  const both = stage.open()
  await settle()
  feed.close()
  coming.resolve('5-0')
  const other = await both
  await settle()
  stage.calls.at(-1)?.answer(new Map([[first, [entry('6-0')]]]))
  expect((await take(other, 1)).words).toEqual(['enqueue task-6-0'])
  other.close()
  await nothingIsLeft()
})

test('whoever is let go while it comes is told, and leaves nothing', async () => {
  const coming = gate()
  stage.parts.listening = () => coming.promise
  const refused = expect(stage.open()).rejects.toMatchObject({ code: 'closed' })
  await settle()
  stage.hub.close()
  coming.resolve('5-0')
  await refused
  await nothingIsLeft()
})

test('where one of two partitions is refused nothing is left of the other', async () => {
  const failure = away()
  stage.parts.partitions = [first, second]
  stage.parts.listening = async () => {
    if (stage.asked.length === 1) throw failure
    return '5-0'
  }
  await expect(stage.open()).rejects.toBe(failure)
  await nothingIsLeft()
})

test('a call goes on where one of its partitions is left, and what was left is not told', async () => {
  stage.parts.partitions = [first, second]
  const both = await stage.open()
  stage.parts.partitions = [first]
  const one = await stage.open()
  await settle()
  const made = stage.calls.length
  both.close()
  await settle()
  expect(stage.calls).toHaveLength(made)
  const told = new Map([
    [second, [entry('6-0')]],
    [first, [entry('7-0')]],
  ])
  stage.calls.at(-1)?.answer(told)
  expect((await take(one, 1)).words).toEqual(['enqueue task-7-0'])
})

test('however many come and go, what moves is told to who stays', async () => {
  const feed = await stage.open()
  await settle()
  stage.parts.partitions = [second]
  for (let i = 0; i < 100; i++) {
    ;(await stage.open()).close()
    if (i % 10 === 0) await vi.advanceTimersByTimeAsync(1)
  }
  stage.calls.at(-1)?.answer(new Map([[first, [entry('6-0')]]]))
  expect((await take(feed, 1)).words).toEqual(['enqueue task-6-0'])
  expect(stage.calls.length).toBeLessThan(5)
})

test('what a store refuses while it is asked again ends its listeners with the reason', async () => {
  const feed = await stage.open()
  const refusal = new RedisDistroError('no_rights', 'Redis refuses its user')
  stage.parts.listening = () => Promise.reject(refusal)
  await askAgain()
  await expect(feed.next(0)).rejects.toBe(refusal)
  await nothingIsLeft()
})

test('a store that is away or full for a while ends no listener', async () => {
  const feed = await stage.open()
  await settle()
  for (const failure of [away(), unanswered(), full()]) {
    stage.parts.listening = () => Promise.reject(failure)
    await askAgain()
  }
  stage.calls.at(-1)?.answer(new Map([[first, [entry('6-0')]]]))
  expect((await take(feed, 1)).words).toEqual(['enqueue task-6-0'])
})

test('a store whose ids went back is heard from there, after a gap', async () => {
  const feed = await stage.open()
  await settle()
  stage.parts.listening = async () => '3-2'
  await askAgain()
  const call = stage.calls.at(-1)
  expect(call?.after.get(first)).toBe('3-2')
  call?.answer(new Map([[first, [entry('3-4')]]]))
  expect((await take(feed, 2)).words).toEqual(['gap first', 'enqueue task-3-4'])
})

test('a partition that comes later is heard from then on, after a gap', async () => {
  const feed = await stage.open()
  await settle()
  stage.parts.partitions = [first, second]
  await askAgain()
  stage.calls.at(-1)?.answer(new Map([[second, [entry('6-0')]]]))
  expect((await take(feed, 2)).words).toEqual(['gap second', 'enqueue task-6-0'])
})

test('a call ends in time, also where much comes that its listener does not want', async () => {
  const feed: EventFeed = await stage.hub.open({
    test: { task: 'another' },
    partitions: async () => [first],
  })
  const { cursor } = feed
  const next = feed.next(1000)
  for (let ms = 0; ms < 1000; ms += 100) {
    await settle()
    stage.calls.at(-1)?.answer(new Map([[first, [entry(`${6000 + ms}-0`)]]]))
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(await next).toEqual([])
  expect(feed.cursor).not.toBe(cursor)
})
