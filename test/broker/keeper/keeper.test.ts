import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LoopKeeper } from '../../../src/broker/keeper/loop-keeper.js'
import { readOrders } from '../../../src/broker/keeper/orders.js'
import { ThreadKeeper } from '../../../src/broker/keeper/thread-keeper.js'
import type { ScriptStore } from '../../../src/broker/script-store.js'
import type { HeldLease } from '../../../src/core/broker.js'
import { testRedisUrl, until } from '../../support/redis.js'
import { Stage } from '../stage.js'

const lease = 400

async function staged(connection: { url: string } | { memory: string }): Promise<Stage> {
  const stage = new Stage(connection)
  await stage.broker.open()
  onTestFinished(() => stage.broker.close())
  return stage
}

/** A lease and what its holder hears. */
function listening(stage: Stage, worker: string) {
  const heard: string[] = []
  const held: HeldLease = {
    partition: stage.partition,
    worker,
    onLost: () => void heard.push('lost'),
    onStop: (cancelled) => void heard.push(...cancelled.map(({ id }) => `stop ${id}`)),
  }
  return { heard, held }
}

describe.each([
  ['from a thread', () => ({ url: testRedisUrl() })],
  ['on the loop', () => ({ memory: randomUUID() })],
] as const)('a keeper %s', (_, connect) => {
  test('renews what it holds, and no longer what was dropped', async () => {
    const stage = await staged(connect())
    const keeper = stage.broker.keeper({ lease, maxBlocked: 0, log: () => undefined })
    onTestFinished(() => keeper.close())
    const { heard, held } = listening(stage, 'w1')
    await stage.join('w1', lease)
    keeper.hold(held)
    const first = stage.now + lease
    const leaseUntil = async () =>
      (await stage.broker.workers(stage.partition)).find(({ worker }) => worker === 'w1')
        ?.leaseUntil
    stage.now += lease / 2
    // By the clock of the store itself, which for a thread is not the test's.
    await until(async () => ((await leaseUntil()) ?? first) > first)
    keeper.drop('w1')
    expect(heard).toEqual([])
  })

  test('tells once that a lease is lost', async () => {
    const stage = await staged(connect())
    const keeper = stage.broker.keeper({ lease, maxBlocked: 0, log: () => undefined })
    onTestFinished(() => keeper.close())
    const never = listening(stage, 'never-joined')
    const other = listening(stage, 'w1')
    await stage.join('w1', lease)
    keeper.hold(never.held)
    keeper.hold(other.held)
    await until(() => never.heard.length > 0)
    const id = await stage.add()
    await stage.lease()
    await stage.broker.cancel(stage.partition, [id])
    await until(() => other.heard.length > 0)
    expect([never.heard, other.heard]).toEqual([['lost'], [`stop ${id}`]])
  })
})

test('a keeper on the loop goes on after a renewal that failed', async () => {
  const stage = await staged({ memory: randomUUID() })
  const answers = [new Error('once'), ['ok', 'a 1\nb 2\n']]
  const store = {
    run: async () => {
      const answer = answers.shift() ?? ['ok']
      if (answer instanceof Error) throw answer
      return answer
    },
  } as Partial<ScriptStore> as ScriptStore
  const engine = { store, prefix: 'p', now: () => 1 }
  const keeper = new LoopKeeper({ lease, maxBlocked: 0, log: () => undefined }, engine)
  onTestFinished(() => keeper.close())
  const { heard, held } = listening(stage, 'w1')
  keeper.hold(held)
  await until(() => heard.length > 0)
  expect(heard).toEqual(['stop a', 'stop b'])
})

test('a thread that finds its script gone from Redis sends it again', async () => {
  const stage = await staged({ url: testRedisUrl() })
  const redis = new Redis(testRedisUrl())
  onTestFinished(() => redis.disconnect())
  const keeper = stage.broker.keeper({ lease, maxBlocked: 0, log: () => undefined })
  onTestFinished(() => keeper.close())
  const { heard, held } = listening(stage, 'w1')
  await stage.join('w1', lease)
  const id = await stage.add()
  await stage.lease()
  keeper.hold(held)
  await redis.script('FLUSH')
  await stage.broker.cancel(stage.partition, [id])
  await until(() => heard.length > 0)
  expect(heard).toEqual([`stop ${id}`])
})

test('orders are read line by line', () => {
  expect(readOrders('')).toEqual([])
  expect(readOrders('a 1\nb:2 2\n')).toEqual([
    { id: 'a', fence: '1' },
    { id: 'b:2', fence: '2' },
  ])
})

test('a thread that fails is replaced by one that keeps the same leases', async () => {
  const stage = await staged({ url: testRedisUrl() })
  const engine = { store: {} as ScriptStore, prefix: 'none', now: () => '' as const }
  const said: string[] = []
  // There is no connection to an in-process store, so each thread fails as it starts.
  const keeper = new ThreadKeeper(
    { lease, maxBlocked: 0, log: (message) => void said.push(message) },
    { engine, connection: { memory: 'none' } },
  )
  keeper.hold(listening(stage, 'w1').held)
  await until(() => said.length >= 3)
  expect(said[0]).toContain('another one goes on with its leases')
  await keeper.close()
})
