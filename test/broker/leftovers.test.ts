import { Redis } from 'ioredis'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import type { Broker } from '../../src/core/broker.js'
import { silentLog } from '../../src/telemetry/log.js'
import { startLossyProxy } from '../support/lossy-proxy.js'
import { startRedis, testRedisUrl, until } from '../support/redis.js'
import { error, Stage } from './stage.js'

const lease = 30_000
const day = 86_400_000
let stage: Stage
let redis: Redis
beforeEach(async () => {
  stage = new Stage({ url: testRedisUrl() })
  await stage.open()
  redis = new Redis(testRedisUrl())
  onTestFinished(async () => {
    redis.disconnect()
    await stage.broker.close()
  })
})

const key = (name: string) => `${stage.prefix}:{default}:${name}`
const complete = { name: 'complete', result: 1 } as const
const prune = () => {
  const none = { age: day, count: 0 }
  return stage.broker.prune(stage.partition, { completed: none, dead: none, cancelled: none })
}
const rescueAll = async () => {
  await stage.broker.rescue(stage.partition, lease)
  for (let waited = 0; waited <= lease; waited += lease / 3) {
    stage.now += lease / 3
    await stage.broker.rescue(stage.partition, lease)
  }
}

describe('a wake-up mark is left', () => {
  test('by a rescue', async () => {
    await stage.add()
    await stage.leaseOne()
    await redis.del(key('wake'))
    await rescueAll()
    expect(await redis.llen(key('wake'))).toBe(1)
  })

  test('by what is given back', async () => {
    await stage.add()
    const task = await stage.leaseOne()
    await redis.del(key('wake'))
    await stage.broker.giveBack(stage.partition, stage.worker, [task])
    expect(await redis.llen(key('wake'))).toBe(1)
  })
})

describe('nothing is left of a task', () => {
  const retried = async () => {
    await stage.add()
    await stage.settle(await stage.leaseOne(), { name: 'retry', after: 0, error })
    return stage.cycle({ promote: true, wanted: 1 }).then(({ leased: [task] }) => task)
  }

  test('that completed with a history and was one too many', async () => {
    stage.keep = 1
    for (const _ of [1, 2]) {
      const task = await retried()
      if (!task) throw new Error('a task was expected')
      stage.now += 1
      await stage.settle(task, complete)
    }
    for (const name of ['tasks', 'results', 'attempts']) {
      expect(await redis.hlen(key(name)), name).toBe(1)
    }
  })

  test('that completed with a history where nothing is kept', async () => {
    stage.keep = 0
    const task = await retried()
    if (!task) throw new Error('a task was expected')
    await stage.settle(task, complete)
    expect(await redis.exists(key('attempts'), key('tasks'))).toBe(0)
  })

  test('that was requeued and then completed where nothing is kept', async () => {
    stage.keep = 0
    const { id } = await stage.bring('dead')
    await stage.broker.requeue(stage.partition, [id])
    const task = await stage.leaseOne()
    expect(task).toMatchObject({ failures: 0, losses: 0, deaths: 0, mismatchSince: 0 })
    await stage.settle(task, complete)
    expect(await redis.exists(key('attempts'), key('tasks'))).toBe(0)
  })

  test('that told of its progress, was buried and pruned', async () => {
    await stage.add()
    const task = await stage.leaseOne()
    await stage.broker.progress(stage.partition, stage.worker, task, 1)
    await stage.settle(task, { name: 'bury', error })
    expect(await redis.hlen(key('progress'))).toBe(1)
    await prune()
    expect(await redis.exists(key('progress'), key('attempts'), key('tasks'))).toBe(0)
  })
})

test('an empty record stops no lease: it is leased as broken', async () => {
  const ids = [await stage.add(), await stage.add()]
  await redis.hset(key('tasks'), ids[0] ?? '', '')
  const leased = await stage.lease(2)
  expect(leased.map(({ id }) => id)).toEqual(ids)
  expect(leased[0]?.broken).toContain('cannot be read')
  expect(leased[1]?.broken).toBeUndefined()
})

describe('a history that cannot be read', () => {
  test('stops no rescue, and counts as none', async () => {
    const ids = [await stage.add(), await stage.add()]
    await stage.lease(2)
    await redis.hset(key('attempts'), ids[0] ?? '', 'garbage')
    await rescueAll()
    for (const id of ids)
      expect(await stage.find(id)).toMatchObject({ state: 'waiting', losses: 1 })
  })

  test('stops no expiry, and hides no task', async () => {
    const ids = [await stage.add({ expiresIn: 10 }), await stage.add({ expiresIn: 10 })]
    await redis.hset(key('attempts'), ids[0] ?? '', 'garbage\nmore')
    expect(await stage.find(ids[0] ?? '')).toMatchObject({ failures: 0, losses: 0, attempts: [] })
    stage.now += 11
    expect(await prune()).toMatchObject({ expired: 2 })
  })

  test('of a completed task hides it from nobody', async () => {
    const { id } = await stage.bring('completed')
    await redis.hset(key('results'), id, 'garbage')
    const task = await stage.find(id)
    expect(task?.state).toBe('completed')
    for (const name of ['startedAt', 'completedAttempt', 'result'])
      expect(task).not.toHaveProperty(name)
  })

  test('is leased as none', async () => {
    const id = await stage.add()
    await redis.hset(key('attempts'), id, 'garbage')
    expect(await stage.leaseOne()).toMatchObject({
      failures: 0,
      losses: 0,
      deaths: 0,
      mismatchSince: 0,
    })
  })
})

describe('the connection of one who waits', () => {
  const names = async (client: Redis) => {
    const list = (await client.client('LIST')) as string
    return list.split('\n').filter((line) => line.includes('name=redisdistro-wait')).length
  }

  /** Waits until a connection is there that takes what lies in the list. */
  const marksTaken = (broker: Broker) =>
    until(async () => {
      await broker.wait(stage.partition, 50, new AbortController().signal)
      return (await redis.llen(key('wake'))) === 0
    })

  test('is closed when its worker leaves, busy or not', async () => {
    const server = await startRedis()
    const own = new Stage({ url: server.url })
    const client = new Redis(server.url)
    onTestFinished(async () => {
      client.disconnect()
      await own.broker.close()
      await server.stop()
    })
    await own.open()
    await own.add()
    await until(async () => {
      await own.broker.wait(own.partition, 10, new AbortController().signal)
      return (await names(client)) === 1
    })
    await own.leaseOne()
    await own.broker.leave(own.partition, own.worker)
    await until(async () => (await names(client)) === 0)
  })

  test('stays for another one who waits there', async () => {
    await stage.join('other')
    await stage.add()
    await marksTaken(stage.broker)
    const { signal } = new AbortController()
    let woken = false
    const waited = stage.broker.wait(stage.partition, 3000, signal).then(() => {
      woken = true
    })
    await stage.broker.leave(stage.partition, 'other')
    expect(woken).toBe(false)
    await stage.add()
    await waited
    expect(await redis.llen(key('wake'))).toBe(0)
  })

  test('is given up where it answers nothing, and the next wait has a new one', async () => {
    const proxy = await startLossyProxy()
    proxy.target = Number(new URL(testRedisUrl()).port)
    const broker = createRedisBroker({
      connection: { url: `redis://127.0.0.1:${proxy.port}` },
      prefix: stage.prefix,
      commandTimeout: 1000,
      allowEviction: false,
      log: silentLog,
    })
    onTestFinished(async () => {
      await broker.close()
      await proxy.close()
    })
    await stage.add()
    await marksTaken(broker)
    proxy.mute()
    await broker.wait(stage.partition, 50, new AbortController().signal)
    await stage.add()
    const start = performance.now()
    await marksTaken(broker)
    // A connection that answers nothing would have been waited for a second longer than asked.
    expect(performance.now() - start).toBeLessThan(900)
  })
})
