import { Redis } from 'ioredis'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { NewTask } from '../../src/core/broker.js'
import { testRedisUrl, until } from '../support/redis.js'
import { WorkerStage } from '../worker/stage.js'

let stage: WorkerStage
let redis: Redis
beforeEach(async () => {
  stage = await WorkerStage.open()
  redis = new Redis(testRedisUrl())
  onTestFinished(() => redis.disconnect())
})

const key = (name: string) => `${stage.prefix}:{default}:${name}`
const brokenRecords = () =>
  stage.counters
    .read()
    .filter(({ name }) => name === 'redisdistro_broken_records_total')
    .reduce((sum, { value }) => sum + value, 0)

/** Records that nobody wrote, by what is wrong with them. */
const records: Readonly<Record<string, Buffer>> = {
  'random bytes': Buffer.from([0xff, 0x00, 0x9c, 0x0a, 0xc3, 0x28, 0x1e]),
  'a record cut short': Buffer.from('1\njob mb0a'),
  'a payload that is no JSON': Buffer.from('1\njob mb0a1b2c\n{"n":'),
  'a last line of the wrong shape': Buffer.from('1\njob mb0a1b2c\n1\n{"overrides":7,"tags":{}}'),
  'flags out of range': Buffer.from('~ dead\njob mb0a1b2c\n1'),
  'a header with too many words': Buffer.from('1 dead key 12 13\njob mb0a1b2c\n1'),
  'invalid UTF-8 in its dead-letter key': Buffer.from('31206465ff640a6a6f62206d620a31', 'hex'),
  'an enqueue time that is none': Buffer.from('1\njob ZZ!\n1'),
  nothing: Buffer.alloc(0),
}

const places: Readonly<Record<string, Partial<NewTask>>> = {
  waiting: {},
  scheduled: { due: { in: 1 } },
}

describe.each(Object.entries(places))('a %s task', (_, parts) => {
  test.each(Object.entries(records))(
    'with %s is a dead letter with its bytes, and its neighbours complete',
    async (_, bytes) => {
      const before = await stage.add(1)
      const broken = await stage.add(2, parts)
      const after = await stage.add(3)
      await redis.hset(key('tasks'), broken, bytes)
      const ran: unknown[] = []
      stage.start({ handle: (payload) => void ran.push(payload) })
      for (const id of [before, after]) await stage.reached(id, 'completed')
      const dead = await stage.reached(broken, 'dead')
      expect(ran.sort()).toEqual([1, 3])
      expect(dead.attempts.at(-1)?.error?.message).toContain('its record cannot be read')
      expect(Buffer.from(dead.raw ?? '', 'base64')).toEqual(bytes)
      expect(await redis.hgetBuffer(key('tasks'), broken)).toEqual(bytes)
      await until(() => brokenRecords() === 1)
      const listed = await stage.broker.list(stage.partition, {
        state: 'dead',
        deadLetter: 'dead',
        limit: 10,
      })
      expect(listed.tasks).toMatchObject([{ id: broken, raw: dead.raw }])
      // Sent again it is buried again; erased it leaves nothing.
      expect(await stage.broker.requeue(stage.partition, [broken])).toMatchObject([{ ok: true }])
      await until(async () => (await stage.find(broken))?.attempts.length === 2)
      await stage.reached(broken, 'dead')
      expect(await stage.broker.erase(stage.partition, [broken])).toMatchObject([{ ok: true }])
      expect(await redis.exists(key('dead'), key('dead:dead'), key('attempts'))).toBe(0)
    },
  )
})

test('a record without a time makes no line look older than it is', async () => {
  const broken = await stage.add(1)
  await redis.hset(key('tasks'), broken, 'of no form')
  expect(await stage.broker.counts(stage.partition)).not.toHaveProperty('oldestWaiting')
  await stage.broker.cancel(stage.partition, [broken])
  await stage.add(2)
  const { oldestWaiting } = await stage.broker.counts(stage.partition)
  expect(oldestWaiting).toBeLessThan(60_000)
})

test('a due time past all dates is a broken record, and gone once a person lets it run', async () => {
  const id = await stage.add()
  await redis.hset(key('tasks'), id, `1 dead key ${'9'.repeat(20)}\njob mb0a1b2c\n1`)
  stage.start({ handle: () => undefined })
  expect((await stage.reached(id, 'dead')).raw).toBeDefined()
  await stage.broker.requeue(stage.partition, [id])
  await stage.reached(id, 'completed')
})

test('a retryable task whose record broke meanwhile is a dead letter', async () => {
  let failed = false
  const id = await stage.add()
  stage.start({
    async handle() {
      if (failed) return
      failed = true
      await redis.hset(key('tasks'), id, 'junk')
      throw new Error('once')
    },
  })
  const dead = await stage.reached(id, 'dead')
  expect(dead.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'bury'])
  expect(Buffer.from(dead.raw ?? '', 'base64').toString()).toBe('junk')
})

test('a task whose record is missing is a dead letter that says so', async () => {
  const missing = await stage.add(1, { fingerprint: 'f', expiresIn: 60_000 })
  const healthy = await stage.add(2)
  await redis.hdel(key('tasks'), missing)
  stage.start({ handle: () => undefined })
  await stage.reached(healthy, 'completed')
  const dead = await stage.reached(missing, 'dead')
  expect(dead.attempts[0]?.error?.message).toBe('its record was missing from the store')
  expect(await redis.exists(key('expiring'))).toBe(0)
  expect(await redis.zcard(key('ownUntil'))).toBe(1)
})

describe('a catalogue', () => {
  test('of which some entries cannot be read has the others', async () => {
    const queue = { queue: 'default', partitions: 2 }
    await stage.broker.publish({ types: [], queues: [queue] })
    const { prefix } = stage
    await redis.hset(`${prefix}:queues`, { a: '{', b: '[]', c: '{"queue":7}', d: 'null' })
    await redis.hset(`${prefix}:types`, { a: 'x', b: '{"type":"t","queue":"q","partitions":1e9}' })
    await redis.hset(`${prefix}:layouts`, { 'x y': '1', '999999999 default': '5', z: '7', '': '1' })
    const { queues, types, layouts } = await stage.broker.catalogue()
    expect(queues).toEqual([queue])
    expect(types).toEqual([])
    expect(layouts).toMatchObject([queue])
  })

  test('of workers whose details cannot be read shows the others', async () => {
    stage.start({ handle: () => undefined })
    await until(async () => (await stage.broker.workers(stage.partition)).length === 1)
    await redis.zadd(key('workers'), Date.now() + 60_000, 'strange')
    for (const about of ['{', 'null', '{"host":1}']) {
      await redis.hset(key('details'), 'strange', about)
      expect(await stage.broker.workers(stage.partition)).toHaveLength(1)
    }
  })
})

describe('counters, leases and marks that cannot be read', () => {
  test('stop no cycle and no rescue', async () => {
    await redis.hset(key('meta'), { fence: 'x', rescuedAt: 'x', auditedAt: '', statsFrom: '-' })
    await redis.hset(key('stats'), { 'total:completed': 'x', junk: '1', '12:lost': 'y' })
    await redis.hset(key('orders'), 'nobody', 'garbage')
    const id = await stage.add()
    stage.start({ handle: () => undefined })
    await stage.reached(id, 'completed')
    await stage.broker.rescue(stage.partition, 10_000)
    const kept = { age: 1000, count: 10 }
    await stage.broker.prune(stage.partition, { completed: kept, dead: kept, cancelled: kept })
    expect((await stage.broker.stats(stage.partition, 5)).total).toMatchObject({ enqueued: 1 })
  })

  test('a unique key whose holder cannot be read is free', async () => {
    await redis.hset(key('unique'), 'k', 'garbage')
    const unique = { key: 'k' }
    const id = await stage.add(1, { unique })
    const repeat = await stage.add(2, { unique })
    expect((await stage.find(id))?.state).toBe('waiting')
    expect(await stage.find(repeat)).toBeUndefined()
  })
})

describe('a key of the wrong type', () => {
  const names = ['waiting', 'tasks', 'active', 'stats', 'meta', 'workers', 'completed'] as const

  test.each(names)('%s is named in the error, and other queues go on', async (name) => {
    await redis.del(key(name))
    await redis.lpush(key(name), 'not ours')
    const other = { queue: 'other', index: 0, of: 1 }
    const words = `${stage.prefix}:{default}:${name} is not of the type`
    const fails = async () => {
      const asks = [
        () => stage.add(),
        () => stage.broker.counts(stage.partition),
        () => stage.broker.stats(stage.partition, 1),
        () => stage.broker.workers(stage.partition),
        () => stage.broker.join(stage.partition, 'w', 1000, about),
        () => stage.broker.rescue(stage.partition, 1000),
      ]
      const ends = await Promise.allSettled(asks.map((ask) => ask()))
      return ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))
    }
    const about = { host: 'here', pid: 1, concurrency: 1, startedAt: 0 }
    const errors = await fails()
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toContain(words)

    await stage.broker.join(other, 'w', 60_000, about)
    const body = { type: 'job', payload: 1, enqueuedAt: 0, overrides: {}, tags: [] }
    const task = { id: 'x', priority: 'normal', deadLetter: 'dead', body } as const
    await stage.broker.enqueue(other, [task], false)
    const retention = { age: 1000, count: 10 }
    const call = { worker: 'w', settled: [], wanted: 1, promote: true, retention }
    expect(await stage.broker.cycle(other, call)).toMatchObject({ leased: [{ id: 'x' }] })

    // Out of the way, the queue works again.
    await redis.rename(key(name), key('aside'))
    stage.start({ handle: () => undefined })
    const id = await stage.add()
    await stage.reached(id, 'completed')
  })

  test('of a worker that runs is said once, and it goes on when the key is away', async () => {
    stage.start({ handle: () => undefined })
    await redis.del(key('waiting'))
    await redis.set(key('waiting'), 'not ours')
    const said = () => stage.log.lines.filter(({ message }) => message.startsWith('A cycle failed'))
    await until(() => said().length > 0)
    expect(String(said()[0]?.fields['reason'])).toContain(key('waiting'))
    await redis.del(key('waiting'))
    const id = await stage.add()
    await stage.reached(id, 'completed')
    expect(said()).toHaveLength(1)
  })
})
