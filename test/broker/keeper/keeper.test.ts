import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runScript } from '../../../src/broker/arguments.js'
import { LoopKeeper } from '../../../src/broker/keeper/loop-keeper.js'
import { readOrders } from '../../../src/broker/keeper/orders.js'
import { ThreadKeeper } from '../../../src/broker/keeper/thread-keeper.js'
import { MemoryStore } from '../../../src/broker/memory-store.js'
import type { ScriptStore } from '../../../src/broker/script-store.js'
import { renewScript } from '../../../src/broker/scripts.js'
import type { HeldLease } from '../../../src/core/broker.js'
import { startLossyProxy } from '../../support/lossy-proxy.js'
import { startRedis, testRedisUrl, until } from '../../support/redis.js'
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

/** A keeper by thread behind a proxy, and the lease that Redis has of its worker. */
async function behindProxy(stage: Stage) {
  const proxy = await startLossyProxy()
  proxy.target = Number(new URL(testRedisUrl()).port)
  const redis = new Redis(testRedisUrl())
  const engine = { store: {} as ScriptStore, prefix: stage.prefix, now: () => '' as const }
  const keeper = new ThreadKeeper(
    { lease, maxBlocked: 0, log: () => undefined },
    { engine, connection: { url: `redis://127.0.0.1:${proxy.port}` } },
  )
  onTestFinished(async () => {
    redis.disconnect()
    await keeper.close()
    await proxy.close()
  })
  const key = (name: string) => `${stage.prefix}:{default}:${name}`
  const leaseUntil = async () => Number(await redis.zscore(key('workers'), 'w1'))
  return { proxy, redis, keeper, key, leaseUntil }
}

test('an order whose answer was lost is told all the same, once, and then is gone', async () => {
  const stage = await staged({ url: testRedisUrl() })
  const { proxy, redis, keeper, key, leaseUntil } = await behindProxy(stage)
  const { heard, held } = listening(stage, 'w1')
  await stage.join('w1', lease)
  keeper.hold(held)
  const first = await leaseUntil()
  await until(async () => (await leaseUntil()) > first)
  const ids = [await stage.add(), await stage.add()]
  await stage.lease(2)
  const [one = '', two = ''] = ids
  await stage.broker.cancel(stage.partition, [one])
  proxy.loseNextAnswer()
  await stage.broker.cancel(stage.partition, [two])
  await until(async () => heard.length > 1 && !(await redis.hexists(key('orders'), 'w1')))
  expect(heard.filter((word) => word === `stop ${two}`)).toHaveLength(1)
  expect(new Set(heard)).toEqual(new Set(ids.map((id) => `stop ${id}`)))
})

test('a thread whose connection answers nothing goes on by a new one', async () => {
  const stage = await staged({ url: testRedisUrl() })
  const { proxy, keeper, leaseUntil } = await behindProxy(stage)
  await stage.join('w1', lease)
  keeper.hold(listening(stage, 'w1').held)
  const first = await leaseUntil()
  const second = await until(async () => {
    const now = await leaseUntil()
    return now > first && now
  })
  proxy.mute()
  await until(async () => (await leaseUntil()) > second + 2 * lease)
})

test('a thread that hangs in the end of its connection is ended', async () => {
  const server = await startRedis()
  const redis = new Redis(server.url)
  onTestFinished(async () => {
    server.process.kill('SIGCONT')
    redis.disconnect()
    await server.stop()
  })
  const engine = { store: {} as ScriptStore, prefix: 'none', now: () => '' as const }
  const keeper = new ThreadKeeper(
    { lease, maxBlocked: 0, log: () => undefined },
    { engine, connection: { url: server.url } },
  )
  await until(async () => String(await redis.client('LIST')).includes('redisdistro-lease'))
  server.process.kill('SIGSTOP')
  const start = performance.now()
  await keeper.close()
  expect(performance.now() - start).toBeLessThan(1500)
})

test('orders stay until they were heard, and those that came meanwhile stay on', async () => {
  const memory = randomUUID()
  const stage = await staged({ memory })
  const ids = [await stage.add(), await stage.add(), await stage.add()]
  await stage.join('w1')
  const fences = new Map((await stage.lease(3)).map(({ id, fence }) => [id, fence]))
  const cancel = (...some: string[]) => stage.broker.cancel(stage.partition, some)
  const line = (id = '') => `${id} ${fences.get(id)}\n`
  const store = new MemoryStore(memory)
  onTestFinished(() => store.close())
  const engine = { store, prefix: stage.prefix, now: () => stage.now }
  const renew = (heard: string) => {
    const named = { worker: 'w1', lease_: 30_000, heard }
    return runScript(engine, { script: renewScript, partition: stage.partition, named })
  }
  expect(await renew('')).toEqual(['ok'])
  await cancel(ids[0] ?? '')
  expect(await renew('')).toEqual(['ok', line(ids[0])])
  await cancel(ids[1] ?? '')
  const both = line(ids[0]) + line(ids[1])
  expect(await renew('never 1\n')).toEqual(['ok', both])
  expect(await renew(line(ids[0]))).toEqual(['ok', line(ids[1])])
  expect(await renew(line(ids[0]))).toEqual(['ok', line(ids[1])])
  expect(await renew(line(ids[1]))).toEqual(['ok'])
  await cancel(ids[2] ?? '')
  expect(await renew(line(ids[1]))).toEqual(['ok', line(ids[2])])
})

test('a thread that fails after the keeper was closed is not replaced', async () => {
  const engine = { store: {} as ScriptStore, prefix: 'none', now: () => '' as const }
  const said: string[] = []
  const keeper = new ThreadKeeper(
    { lease, maxBlocked: 0, log: (message) => void said.push(message) },
    { engine, connection: { memory: 'none' } },
  )
  await keeper.close()
  expect(said).toEqual([])
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
