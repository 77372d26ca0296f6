import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openConnection } from '../../src/broker/ioredis.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import type { Broker } from '../../src/core/broker.js'
import { silentLog } from '../../src/telemetry/log.js'
import { startLatencyProxy } from '../support/latency-proxy.js'
import { startRedis, type TestRedis, testPrefix, until } from '../support/redis.js'

const partition = { queue: 'default', index: 0, of: 1 }
const commandTimeout = 400
let server: TestRedis
let redis: Redis
beforeEach(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  onTestFinished(async () => {
    redis.disconnect()
    await server.stop()
  })
})

const connections = async () => {
  const [, total = ''] = /total_connections_received:(\d+)/.exec(await redis.info('stats')) ?? []
  return Number(total)
}

async function brokerAt(port: number): Promise<Broker> {
  const broker = createRedisBroker({
    connection: { url: `redis://127.0.0.1:${port}` },
    prefix: testPrefix(),
    commandTimeout,
    allowEviction: false,
    log: silentLog,
  })
  onTestFinished(() => broker.close())
  await broker.open()
  return broker
}

async function brokerBehind(ms: number): Promise<Broker> {
  const proxy = await startLatencyProxy(server.port, ms)
  onTestFinished(() => proxy.close())
  const broker = await brokerAt(proxy.port)
  return broker
}

test('a broken connection fails the calls in flight, at once, and breaks no other one', async () => {
  const broker = await brokerBehind(60)
  const took: number[] = []
  let answered = 0
  // Open-loop: calls go out at their pace, whatever became of those before.
  const load = setInterval(() => {
    const start = performance.now()
    broker.pause(partition, false).then(
      () => {
        answered += 1
      },
      () => took.push(performance.now() - start),
    )
  }, 2)
  onTestFinished(() => clearInterval(load))
  await until(() => answered > 50)
  const before = await connections()
  await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await until(() => took.length > 0)
  const { length } = took
  answered = 0
  // Longer than the calls in flight would have waited for their timeouts.
  const end = performance.now() + 3 * commandTimeout
  await until(() => answered > 100 && performance.now() > end)
  expect((await connections()) - before).toBe(1)
  expect(Math.max(...took)).toBeLessThan(commandTimeout / 2)
  expect(length).toBeGreaterThan(0)
})

test('a server that takes connections and says nothing is tried again and again', async () => {
  const sockets: Socket[] = []
  // It does not even hang up.
  const mute = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => undefined))
    socket.resume()
  })
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    mute.close()
  })
  const { port } = mute.address() as AddressInfo
  // Commands with a timeout, and those that wait without one.
  for (const timeout of [{ commandTimeout }, {}]) {
    const url = `redis://127.0.0.1:${port}`
    const connection = openConnection({ url }, { name: 'test', ...timeout })
    connection.on('error', () => undefined)
    connection.connect().catch(() => undefined)
    const before = sockets.length
    await until(() => sockets.length > before + 2, { timeout: 15_000 })
    connection.disconnect()
  }
})

test('an answer that lies in the socket behind a busy loop is no timeout', async () => {
  const broker = await brokerAt(server.port)
  const before = await connections()
  const answer = broker.now()
  const end = performance.now() + 2 * commandTimeout
  while (performance.now() < end);
  expect(await answer).toBeGreaterThan(0)
  expect(await connections()).toBe(before)
})
