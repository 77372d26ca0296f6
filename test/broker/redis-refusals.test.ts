import { afterEach, expect, onTestFinished, test } from 'vitest'
import { format, formatKey } from '../../src/broker/format.js'
import type { ConnectionSettings } from '../../src/broker/index.js'
import { openConnection } from '../../src/broker/ioredis.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { startRedis, testPrefix, testRedisUrl, until } from '../support/redis.js'

const lines: string[] = []
afterEach(() => {
  lines.length = 0
})

function brokerOf(connection: ConnectionSettings, prefix = testPrefix()) {
  const log = { info: () => undefined, warn: (line: string) => void lines.push(line) }
  const options = { prefix, commandTimeout: 2000, allowEviction: false }
  const broker = createRedisBroker({ connection, log, ...options })
  onTestFinished(() => broker.close())
  return broker
}

test('a database that the server does not have is refused, and 0 is not taken for it', async () => {
  const broker = brokerOf({ url: `${testRedisUrl()}/9999` })
  await expect(broker.open()).rejects.toMatchObject({ code: 'unsafe_redis' })
  await expect(broker.catalogue()).rejects.toMatchObject({ code: 'unsafe_redis' })
})

test('what a newer release wrote is refused in plain words, and nothing is changed', async () => {
  const prefix = testPrefix()
  const first = brokerOf({ url: testRedisUrl() }, prefix)
  await first.open()
  const redis = openConnection({ url: testRedisUrl() }, { name: 'test' })
  onTestFinished(() => redis.disconnect())
  await redis.connect()
  const key = formatKey(prefix)
  expect(await redis.hgetall(key)).toEqual({ needs: String(format) })
  await redis.hset(key, { needs: String(format + 1) })
  const older = brokerOf({ url: testRedisUrl() }, prefix)
  const refusal = { code: 'unsafe_redis', message: expect.stringContaining('a newer RedisDistro') }
  await expect(older.open()).rejects.toMatchObject(refusal)
  await expect(older.now()).rejects.toMatchObject(refusal)
  expect(await redis.hgetall(key)).toEqual({ needs: String(format + 1) })
  // One that an older build has written is this build's from now on.
  await redis.hset(key, { needs: String(format - 1) })
  await brokerOf({ url: testRedisUrl() }, prefix).open()
  expect(await redis.hgetall(key)).toEqual({ needs: String(format) })
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
