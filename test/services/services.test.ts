import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RedisDistroError } from '../../src/core/errors.js'
import { Looks } from '../../src/services/looks.js'
import { pruner } from '../../src/services/pruner.js'
import { rescuer } from '../../src/services/rescuer.js'
import { Rounds } from '../../src/services/round.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import { error, Stage } from '../broker/stage.js'
import { until } from '../support/redis.js'
import { changed, lineLog } from '../worker/stage.js'

const day = 86_400_000
const lease = 30_000

async function staged(): Promise<Stage> {
  const stage = new Stage({ memory: randomUUID() })
  await stage.open()
  onTestFinished(() => stage.broker.close())
  return stage
}

const other = { queue: 'other', index: 0, of: 1 }
const away = () => Promise.reject(new RedisDistroError('store_away', 'gone'))

describe('the rescuer', () => {
  test('gives the tasks of a worker whose lease is over back, and tells of it', async () => {
    const stage = await staged()
    const [log, counters] = [lineLog(), createCounters()]
    const { broker, partition } = stage
    const service = rescuer({ broker, partitions: [partition], lease, log, counters })
    const id = await stage.add()
    await stage.leaseOne()
    await service.tick()
    expect(await stage.state(id)).toBe('active')
    for (let waited = 0; waited <= lease; waited += 10_000) {
      stage.now += 10_000
      await service.tick()
    }
    expect(await stage.find(id)).toMatchObject({ state: 'waiting', losses: 1 })
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { queue: 'default', workers: ['w1'], rescued: 1, buried: 0 } },
    ])
    expect(counters.read()).toEqual([
      { name: 'redisdistro_tasks_rescued_total', labels: { queue: 'default' }, value: 1 },
    ])
  })

  test('tells of processes that are gone until it was heard, in each partition once', async () => {
    const stage = await staged()
    const told: (readonly [string, readonly string[]])[] = []
    let mute = true
    const broker = changed(stage.broker, {
      rescue: (partition, ms, gone = []) => {
        told.push([partition.queue, gone])
        if (partition.queue === 'default' && mute) return away()
        return stage.broker.rescue(partition, ms, gone)
      },
    })
    const partitions = [stage.partition, other]
    const parts = { broker, lease, log: lineLog(), counters: createCounters() }
    let gone = ['a', 'b']
    const service = rescuer({ ...parts, partitions, gone: () => gone })
    await service.tick()
    mute = false
    await service.tick()
    gone = ['b', 'c']
    await service.tick()
    await service.tick()
    expect(told).toEqual([
      ['default', ['a', 'b']],
      ['other', ['a', 'b']],
      ['default', ['a', 'b']],
      ['other', []],
      ['default', ['c']],
      ['other', ['c']],
      ['default', []],
      ['other', []],
    ])
  })

  test('looks at every partition though one cannot be asked, and says so once', async () => {
    const stage = await staged()
    const log = lineLog()
    const looked: string[] = []
    const broker = changed(stage.broker, {
      rescue: (partition, ms) => {
        looked.push(partition.queue)
        return partition.queue === 'default' ? away() : stage.broker.rescue(partition, ms)
      },
    })
    const partitions = [stage.partition, other]
    const service = rescuer({ broker, partitions, lease, log, counters: createCounters() })
    await service.tick()
    await service.tick()
    expect(looked).toEqual(['default', 'other', 'default', 'other'])
    expect(log.lines.map(({ message }) => message)).toEqual([
      'The rescuer could not look; it tries again',
    ])
  })
})

describe('the pruner', () => {
  const keep = (count: number) => ({ age: day, count })
  const retention = { completed: keep(0), dead: keep(1), cancelled: keep(0) }

  test('ends what is past its retention, and tells of dead letters that go', async () => {
    const stage = await staged()
    const [log, counters] = [lineLog(), createCounters()]
    const { broker, partition } = stage
    const partitions = [{ partition, retention }]
    const service = pruner({ broker, partitions, log, counters })
    await stage.bring('completed')
    await stage.bring('cancelled')
    await stage.bring('dead')
    const last = await stage.bring('dead')
    const late = await stage.add({ expiresIn: 10 })
    stage.now += 11
    await service.tick()
    const { depth } = await broker.counts(partition)
    expect(depth).toMatchObject({ completed: 0, cancelled: 0, waiting: 0 })
    expect(await stage.state(late)).toBe('dead')
    await service.tick()
    expect(await stage.state(last.id)).toBe('gone')
    expect(log.lines.map(({ fields }) => fields)).toEqual([
      { queue: 'default', count: 1 },
      { queue: 'default', count: 1 },
    ])
    const pruned = counters.read().map(({ labels, value }) => [labels.state, value])
    expect(Object.fromEntries(pruned)).toEqual({ completed: 1, dead: 2, cancelled: 1 })
  })

  test('goes over every partition though one cannot be asked', async () => {
    const stage = await staged()
    const [log, counters] = [lineLog(), createCounters()]
    const done: string[] = []
    const broker = changed(stage.broker, {
      prune: (partition, limits) => {
        if (partition.queue === 'default') return away()
        done.push(partition.queue)
        return stage.broker.prune(partition, limits)
      },
    })
    const partitions = [stage.partition, other].map((partition) => ({ partition, retention }))
    await pruner({ broker, partitions, log, counters }).tick()
    expect(done).toEqual(['other'])
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { reason: 'gone' } }])
  })
})

describe('rounds', () => {
  const options = { name: 'test', every: 1, onFailure: () => undefined }

  test('go on after a failure, never overlap, and end with the stop', async () => {
    let running = 0
    let rounds = 0
    const service = new Rounds({
      ...options,
      round: async () => {
        running += 1
        expect(running).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        rounds += 1
        throw error
      },
    })
    service.start()
    service.start()
    await until(() => rounds >= 3)
    await service.stop()
    const ended = rounds
    await service.tick()
    expect([running, rounds]).toEqual([0, ended + 1])
  })

  test('tell of a failure again only after a round that succeeded', async () => {
    const failures: unknown[] = []
    const plan = [1, 2, undefined, 3]
    const round = async () => {
      const next = plan.shift()
      if (next !== undefined) throw next
    }
    const service = new Rounds({ ...options, round, onFailure: (each) => failures.push(each) })
    for (let i = 0; i < 4; i += 1) await service.tick()
    expect(failures).toEqual([1, 3])
  })
})

describe('looks', () => {
  const places = (amount: number) =>
    Array.from({ length: amount }, (_, index) => ({ queue: 'many', index, of: amount }))
  type Place = ReturnType<typeof places>[number]
  const looksOf = (parts: {
    places: Iterable<Place>
    look(place: Place): Promise<void>
    onFailure?(error: unknown): void
  }) => {
    const looks = new Looks<Place>({
      name: 'test',
      every: 1,
      partitionOf: (place) => place,
      onFailure: () => undefined,
      ...parts,
    })
    onTestFinished(() => looks.stop())
    return looks
  }

  test('go on at all partitions but one that does not answer', async () => {
    const seen = [0, 0, 0]
    let answer: () => void = () => undefined
    const look = ({ index }: Place) => {
      seen[index] = (seen[index] ?? 0) + 1
      return index === 1 ? new Promise<void>((resolve) => (answer = resolve)) : Promise.resolve()
    }
    const looks = looksOf({ places: places(3), look })
    looks.start()
    looks.start()
    await until(() => Math.min(seen[0] ?? 0, seen[2] ?? 0) >= 3)
    expect(seen[1]).toBe(1)
    answer()
    await until(() => seen[1] === 2)
    answer()
    await looks.stop()
    const ended = [...seen]
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(ended)
  })

  test('are many at once, though not too many, and none is left out', async () => {
    const seen = new Set<number>()
    let running = 0
    let most = 0
    const look = async ({ index }: Place) => {
      running += 1
      most = Math.max(most, running)
      seen.add(index)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    }
    await looksOf({ places: places(100), look }).tick()
    expect([most, seen.size, running]).toEqual([32, 100, 0])
  })

  test('tell of a failure again only after none failed any more, or what did is gone', async () => {
    const failures: unknown[] = []
    let failing = [0, 2]
    const all = new Set(places(3))
    const look = async ({ index }: Place) => {
      if (failing.includes(index)) throw index
    }
    const onFailure = (each: unknown) => failures.push(each)
    const looks = looksOf({ places: all, look, onFailure })
    for (const next of [[0, 2], [2], [], [1]]) {
      failing = next
      await looks.tick()
    }
    expect(failures).toEqual([0, 1])
    for (const place of all) if (place.index === 1) all.delete(place)
    failing = [0]
    await looks.tick()
    expect(failures).toEqual([0, 1, 0])
  })
})
