import { createConnection, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { silentLog } from '../../src/telemetry/log.js'
import { testRedisUrl, until } from '../support/redis.js'
import { Stage } from './stage.js'

const lease = 30_000
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
const rescue = () => stage.broker.rescue(stage.partition, lease)

test('a worker that leaves after it was marked dead leaves its tasks to the next rescuer', async () => {
  const id = await stage.add()
  await stage.leaseOne()
  await rescue()
  // As a rescuer leaves it that ends between its marking and its moves.
  await redis.zadd(key('workers'), 0, stage.worker)
  await stage.broker.leave(stage.partition, stage.worker)
  expect(await stage.state(id)).toBe('active')
  expect(await rescue()).toMatchObject({ workers: [stage.worker], rescued: 1 })
  expect(await stage.find(id)).toMatchObject({ state: 'waiting', losses: 1 })
})

test('tasks that nobody holds are found within a minute, and those of live workers stay', async () => {
  const lost = await stage.add()
  await stage.join('gone')
  await stage.leaseOne('gone')
  const kept = await stage.add()
  await stage.leaseOne()
  await rescue()
  await redis.zrem(key('workers'), 'gone')
  for (let waited = 0; waited <= 60_000; waited += 10_000) {
    stage.now += 10_000
    await stage.join(stage.worker)
    await rescue()
  }
  expect([await stage.state(lost), await stage.state(kept)]).toEqual(['waiting', 'active'])
})

test('tasks whose records are missing or of no shape are dead letters, and stop no batch', async () => {
  const missing = await stage.add()
  const shapeless = await stage.add({ expiresIn: 10 })
  const waiting = await stage.add()
  const cancelled = await stage.add()
  await stage.broker.cancel(stage.partition, [cancelled])
  await redis.hdel(key('tasks'), missing)
  await redis.hset(key('tasks'), { [shapeless]: '??1', [cancelled]: 'junk' })
  stage.now += 20
  const leased = await stage.lease(10)
  expect(leased.map(({ id }) => id)).toEqual([waiting])
  expect(await stage.find(missing)).toMatchObject({
    state: 'dead',
    attempts: [{ attempt: 1, error: { code: 'internal' } }],
  })
  expect(await stage.find(shapeless)).toMatchObject({ state: 'dead' })
  expect(await stage.broker.deadLetters(stage.partition)).toEqual([{ key: 'dead', count: 2 }])
  expect(await stage.broker.requeue(stage.partition, [cancelled])).toMatchObject([{ ok: true }])
})

test('a connection that answers nothing is broken off, so that nothing of it comes late', async () => {
  const ends: string[] = []
  let silent = false
  const sockets = new Set<Socket>()
  const { hostname, port: redisPort } = new URL(testRedisUrl())
  const server = createServer((socket) => {
    const beyond = createConnection(Number(redisPort), hostname)
    for (const each of [socket, beyond]) sockets.add(each)
    beyond.on('data', (bytes) => silent || socket.write(bytes))
    socket.on('data', (bytes) => silent || beyond.write(bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
    socket.on('end', () => ends.push('end'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const broker = createRedisBroker({
    connection: { url: `redis://127.0.0.1:${port}` },
    prefix: stage.prefix,
    commandTimeout: 1000,
    allowEviction: false,
    log: silentLog,
  })
  onTestFinished(async () => {
    await broker.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await broker.open()
  silent = true
  await expect(broker.pause(stage.partition, false)).rejects.toMatchObject({
    code: 'store_unknown',
  })
  await until(() => ends.length > 0)
  expect(ends[0]).toBe('ECONNRESET')
  silent = false
  await until(() => broker.pause(stage.partition, false).then(() => true))
})
