import { afterEach, expect, onTestFinished, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import { openConnection } from '../../src/broker/ioredis.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { startRedis, testPrefix, testRedisUrl, until } from '../support/redis.js'

const lines: string[] = []
afterEach(() => {
  lines.length = 0
})

function brokerOf(connection: ConnectionSettings) {
  const log = { info: () => undefined, warn: (line: string) => void lines.push(line) }
  const options = { prefix: testPrefix(), commandTimeout: 2000, allowEviction: false }
  const broker = createRedisBroker({ connection, log, ...options })
  onTestFinished(() => broker.close())
  return broker
}

test('a database that the server does not have is refused, and 0 is not taken for it', async () => {
  const broker = brokerOf({ url: `${testRedisUrl()}/9999` })
  await expect(broker.open()).rejects.toMatchObject({ code: 'unsafe_redis' })
  await expect(broker.catalogue()).rejects.toMatchObject({ code: 'unsafe_redis' })
})

test('a replica is named as what it is, once', async () => {
  const master = await startRedis(['--repl-diskless-sync-delay', '0'])
  onTestFinished(() => master.stop())
  const replica = await startRedis(['--replicaof', '127.0.0.1', `${master.port}`])
  onTestFinished(() => replica.stop())
  const broker = brokerOf({ url: replica.url })
  await broker.open()
  const publish = () => broker.publish({ types: [], queues: [{ queue: 'default', partitions: 1 }] })
  await expect(publish()).rejects.toMatchObject({ code: 'store_away' })
  // A refused write makes the connection anew, for the master may be there by now.
  await until(() => broker.catalogue())
  expect(lines.filter((line) => line.includes('is a replica'))).toHaveLength(1)
})

test('TLS holds for the sentinels and for the master that they name', () => {
  const tls = { ca: 'a certificate' }
  const sentinel = { name: 'tasks', nodes: [{ host: '127.0.0.1', port: 26_379 }] }
  const redis = openConnection({ sentinel, tls }, { name: 'test' })
  expect(redis.options).toMatchObject({ enableTLSForSentinelMode: true, sentinelTLS: tls, tls })
})
