import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { silentLog } from '../../src/telemetry/log.js'
import { type LossyProxy, startLossyProxy } from '../support/lossy-proxy.js'
import { testPrefix, testRedisServer, until } from '../support/redis.js'
import { startCluster, type TestCluster } from '../support/redis-cluster.js'

// Its slot is in the first master's share.
const partition = { queue: 'mail', index: 0, of: 1 }
const commandTimeout = 500
let cluster: TestCluster
let proxy: LossyProxy
let broker: ReturnType<typeof createRedisBroker>

beforeEach(async () => {
  proxy = await startLossyProxy()
  cluster = await startCluster(testRedisServer(), { announced: proxy.port })
  proxy.target = cluster.nodes[0]?.port ?? 0
  broker = createRedisBroker({
    connection: { cluster: { nodes: cluster.settings.nodes.slice(1) } },
    prefix: testPrefix(),
    commandTimeout,
    allowEviction: false,
    log: silentLog,
  })
  await broker.open()
})
afterEach(async () => {
  await broker?.close()
  await proxy?.close()
  await cluster?.stop()
})

const task = (id: string) => ({
  id,
  priority: 'normal' as const,
  deadLetter: 'dead',
  body: { type: 'noop', payload: {}, enqueuedAt: 0, overrides: {}, tags: [] },
})
const enqueue = (id: string) => broker.enqueue(partition, [task(id)], false)
const enqueued = async () => (await broker.stats(partition, 1)).total.enqueued

test('a call whose answer is lost is not sent again', async () => {
  await enqueue('first')
  proxy.loseNextAnswer()
  await expect(enqueue('second')).rejects.toMatchObject({ code: 'store_unknown' })
  await until(() => enqueue('third'))
  expect(await enqueued()).toBe(3)
})

test('a node that answers nothing takes no call longer than its time, and no other node along', async () => {
  const elsewhere = { queue: 'default', index: 0, of: 1 }
  await enqueue('first')
  proxy.hold()
  const took: number[] = []
  for (const id of ['second', 'third', 'fourth']) {
    const start = performance.now()
    const refused = enqueue(id)
    await broker.enqueue(elsewhere, [task(id)], false)
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^store_/) })
    took.push(performance.now() - start)
  }
  expect(Math.max(...took)).toBeLessThan(commandTimeout + 250)
  proxy.letGo()
  await until(() => enqueue('last'))
})
