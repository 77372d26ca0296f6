import { afterEach, expect, onTestFinished, test } from 'vitest'
import { type FormatHash, format, formatKey, judgeFormat } from '../../src/broker/format.js'
import type { ConnectionSettings, Durability } from '../../src/broker/index.js'
import { openConnection } from '../../src/broker/ioredis.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { isRedisDistroError } from '../../src/core/errors.js'
import { startRedis, testPrefix, testRedisUrl, until } from '../support/redis.js'

const lines: string[] = []
afterEach(() => {
  lines.length = 0
})

function brokerOf(connection: ConnectionSettings, prefix = testPrefix(), durability?: Durability) {
  const log = { info: () => undefined, warn: (line: string) => void lines.push(line) }
  const options = { prefix, commandTimeout: 2000, allowEviction: false }
  const broker = createRedisBroker({ connection, log, durability, ...options })
  onTestFinished(() => broker.close())
  return broker
}

test('a database that the server does not have is refused, and 0 is not taken for it', async () => {
  const broker = brokerOf({ url: `${testRedisUrl()}/9999` })
  await expect(broker.open()).rejects.toMatchObject({ code: 'unsafe_redis' })
  await expect(broker.catalogue()).rejects.toMatchObject({ code: 'unsafe_redis' })
})

test('a database that is taken away while all runs leaves nothing in database 0', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const other = openConnection({ url: server.url }, { name: 'test' })
  onTestFinished(() => other.disconnect())
  await other.connect()
  const tell = async (...words: string[]) => {
    await other.call('ACL', 'SETUSER', 'app', ...words)
    await other.call('CLIENT', 'KILL', 'USER', 'app').catch(() => undefined)
  }
  await tell('on', '>secret', '~*', '&*', '+@all')
  const broker = brokerOf({ url: `${server.url.replace('//', '//app:secret@')}/5` })
  await broker.open()
  const part = { queue: 'default', index: 0, of: 1 }
  const body = { type: 'noop', payload: {}, enqueuedAt: 0, overrides: {}, tags: [] }
  let made = 0
  const add = () => {
    const task = { id: `t${made++}`, priority: 'normal', deadLetter: 'dead', body } as const
    return broker.enqueue(part, [task], false)
  }
  await add()
  await tell('-select')
  const codes = new Set<unknown>()
  await until(async () => {
    await add().catch((error: unknown) => codes.add(isRedisDistroError(error) && error.code))
    return codes.has('unsafe_redis')
  })
  await expect(broker.open()).rejects.toMatchObject({ code: 'unsafe_redis' })
  await tell('+select')
  await until(add)
  expect(await other.dbsize()).toBe(0)
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

test('a server that evicts from some time on is refused until it is put right', async () => {
  const [setting, wrong, right] = ['maxmemory-policy', 'allkeys-lru', 'noeviction'] as const
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const other = openConnection({ url: server.url }, { name: 'test' })
  onTestFinished(() => other.disconnect())
  await other.connect()
  const durability = { kind: 'replicated', replicas: 1 } as const
  const broker = brokerOf({ url: server.url }, testPrefix(), durability)
  await broker.open()
  const part = { queue: 'default', index: 0, of: 1 }
  const refused = { code: 'unsafe_redis', message: expect.stringContaining(wrong) }
  await other.config('SET', setting, wrong)
  await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  const codeNow = async () => {
    const error = await broker.now().catch((thrown: unknown) => thrown)
    return isRedisDistroError(error) && error.code
  }
  await until(async () => (await codeNow()) === 'unsafe_redis')
  // What must be durable goes by connections of its own, and by the same word.
  await expect(broker.confirm(part, ['some'])).rejects.toMatchObject(refused)
  await other.config('SET', setting, right)
  // Nothing is reached anew, and no one is told.
  await until(async () => (await broker.now().catch(() => 0)) > 0)
})

test('an older build that was late does not take back what a newer one has written', async () => {
  const key = 'some'
  let written = {}
  const late: FormatHash = {
    hgetall: async () => written,
    hset: async () => expect.unreachable('it is the newer one that holds'),
    hsetnx: async () => {
      written = { needs: String(format + 1) }
      return 0
    },
  }
  const refusal = await judgeFormat(late, { prefix: key, says: 'Redis' })
  expect(refusal?.message).toContain('a newer RedisDistro')
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
