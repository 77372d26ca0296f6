import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import type { Broker, CycleCall, CycleReply } from '../../src/core/broker.js'
import { FatalError, RedisDistroError } from '../../src/core/errors.js'
import { testRedisUrl, until } from '../support/redis.js'
import { changed, WorkerStage } from './stage.js'

/** Results that are JSON when they are first looked at, and never again. */
function onceJson() {
  let looks = 0
  return {
    toJSON() {
      looks += 1
      if (looks > 1) throw new Error('gone')
      return 'once'
    },
  }
}

/** A gate that many runs wait at, so that they settle in one cycle. */
function gate(amount: number) {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  let waiting = 0
  return () => {
    waiting += 1
    if (waiting >= amount) open()
    return opened
  }
}

test('a result that cannot be sent buries its task and stops no other', async () => {
  const stage = await WorkerStage.open()
  const ids = [await stage.add('good'), await stage.add('bad'), await stage.add('good')]
  const runs: unknown[] = []
  const pass = gate(3)
  stage.start({
    handle: async (payload) => {
      runs.push(payload)
      await pass()
      return payload === 'bad' ? onceJson() : payload
    },
  })
  for (const id of [ids[0], ids[2]]) {
    expect(await stage.reached(id ?? '', 'completed')).toMatchObject({ result: 'good' })
  }
  expect(await stage.reached(ids[1] ?? '', 'dead')).toMatchObject({
    attempts: [{ error: { code: 'internal', message: expect.stringContaining('gone') } }],
  })
  await stage.reached(await stage.add('later'), 'completed')
  expect(runs).toHaveLength(4)
})

test('a task that cannot be settled in any way is left, told in the log, and stops no other', async () => {
  const stage = await WorkerStage.open()
  const redis = new Redis(testRedisUrl())
  onTestFinished(() => redis.disconnect())
  const blocked = `${stage.prefix}:{default}:dead:blocked`
  await redis.set(blocked, 'not a sorted set')
  const good = await stage.add('good')
  const bad = await stage.add('bad', { deadLetter: 'blocked' })
  const pass = gate(2)
  const worker = stage.start({
    lease: 1000,
    handle: async (payload) => {
      await pass()
      if (payload === 'bad') throw new FatalError('never')
    },
  })
  await stage.reached(good, 'completed')
  await until(() => stage.log.lines.some(({ level }) => level === 'error'))
  expect(stage.log.lines.find(({ level }) => level === 'error')?.fields).toMatchObject({
    taskId: bad,
    outcome: 'bury',
  })
  await stage.reached(await stage.add('later'), 'completed')
  expect(await stage.reached(bad, 'active')).toMatchObject({ losses: 0 })
  await worker.stop()
  expect(await stage.reached(bad, 'waiting')).toBeDefined()
})

test('a script that fails for every cycle loses no result: it is sent until Redis takes it', async () => {
  const stage = await WorkerStage.open()
  const id = await stage.add('good')
  let failing = false
  let failed = 0
  const cycle = async (broker: Broker, ...[partition, call]: Parameters<Broker['cycle']>) => {
    if (call.settled.length > 0 && failed < 6) failing = true
    if (!failing || failed >= 6) return broker.cycle(partition, call)
    failed += 1
    throw new RedisDistroError('internal', 'Redis answered: ERR of every script')
  }
  const runs: unknown[] = []
  stage.start({
    handle: (payload) => runs.push(payload),
    between: (broker) => changed(broker, { cycle: (...call) => cycle(broker, ...call) }),
  })
  expect(await stage.reached(id, 'completed')).toMatchObject({ result: 1 })
  expect(failed).toBe(6)
  expect(runs).toEqual(['good'])
})

test('a cycle that Redis carries out long after its answer was lost leaves no task held', async () => {
  const stage = await WorkerStage.open()
  let late: (() => Promise<CycleReply>) | undefined
  let sent = 0
  let looks = 0
  let holding = false
  const cycle = async (
    broker: Broker,
    ...[partition, call]: [typeof stage.partition, CycleCall]
  ) => {
    sent += 1
    if (sent === 1) {
      late = () => broker.cycle(partition, call)
      throw new RedisDistroError('store_unknown', 'no answer')
    }
    return broker.cycle(partition, holding ? { ...call, wanted: 0 } : call)
  }
  stage.start({
    lease: 300,
    handle: () => 'done',
    between: (broker) =>
      changed(broker, {
        cycle: (...call) => cycle(broker, ...call),
        held: async (...call) => {
          const held = await broker.held(...call)
          looks += 1
          return held
        },
      }),
  })
  await until(() => sent > 1 && looks > 0)
  // The worker has looked for what the lost answer leased; now Redis does as it was told.
  holding = true
  const id = await stage.add()
  expect(await late?.()).toMatchObject({ lost: false, leased: [{ id }] })
  holding = false
  expect(await stage.reached(id, 'completed')).toMatchObject({ losses: 0, result: 'done' })
})

test('a task that was cancelled and sent again runs anew beside its old run, which is told', async () => {
  const stage = await WorkerStage.open()
  const ends: string[] = []
  let first = true
  stage.start({
    lease: 2000,
    handle: async (_, { signal, task }) => {
      if (!first) return task.fence
      first = false
      await new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      )
      ends.push((signal.reason as Error).message)
      return 'late'
    },
  })
  const id = await stage.add()
  const { fence } = await stage.reached(id, 'active')
  await stage.broker.cancel(stage.partition, [id])
  await stage.broker.requeue(stage.partition, [id])
  const done = await stage.reached(id, 'completed')
  expect(done.result).toBeGreaterThan(Number(fence))
  await until(() => ends.length > 0)
  expect(ends).toEqual(['the task was cancelled'])
})

test('a worker that gets no lease says so once, and works when it gets one', async () => {
  const stage = await WorkerStage.open()
  let tries = 0
  stage.start({
    handle: () => 'done',
    between: (broker) =>
      changed(broker, {
        join: async (...call) => {
          tries += 1
          if (tries < 3) throw new RedisDistroError('store_away', 'gone')
          await broker.join(...call)
        },
      }),
  })
  expect(await stage.reached(await stage.add(), 'completed')).toMatchObject({ result: 'done' })
  const told = stage.log.lines.filter(({ fields }) => 'reason' in fields)
  expect(told).toMatchObject([{ level: 'warn', fields: { queue: 'default', reason: 'gone' } }])
})

test('progress that cannot be stored since Redis is away costs no attempt', async () => {
  const stage = await WorkerStage.open()
  const away = async () => {
    throw new RedisDistroError('store_away', 'gone')
  }
  stage.start({
    handle: async (_, { progress }) => {
      await progress(1)
      return 'done'
    },
    between: (broker) => changed(broker, { progress: away }),
  })
  expect(await stage.reached(await stage.add(), 'completed')).toMatchObject({ result: 'done' })
})

test('while a task is due in 30 days an idle worker makes one cycle after each wait, as ever', async () => {
  const stage = await WorkerStage.open()
  const calls: string[] = []
  stage.start({
    handle: () => undefined,
    between: (broker) =>
      changed(broker, {
        cycle: (...call) => {
          calls.push('cycle')
          return broker.cycle(...call)
        },
        wait: (...call) => {
          calls.push('wait')
          return broker.wait(...call)
        },
      }),
  })
  await until(() => calls.includes('wait'))
  await stage.add('far', { due: { in: 30 * 86_400_000 } })
  await until(() => calls.filter((name) => name === 'wait').length >= 3)
  const first = calls.indexOf('wait')
  expect(calls.slice(first, first + 5)).toEqual(['wait', 'cycle', 'wait', 'cycle', 'wait'])
})
