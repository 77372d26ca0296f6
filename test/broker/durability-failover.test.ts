import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openConnection } from '../../src/broker/ioredis.js'
import { partitionKeys } from '../../src/broker/keys.js'
import { testRedisServer, until } from '../support/redis.js'
import { startCluster } from '../support/redis-cluster.js'
import { startSentinels, type TestSentinels } from '../support/redis-sentinel.js'
import * as rig from './durability-rig.js'

const { callsOf, halt, letGo, openClient, replicated } = rig

let sentinels: TestSentinels
beforeAll(async () => {
  sentinels = await startSentinels(testRedisServer())
})
afterAll(() => sentinels?.stop())

test('a connection that hears of a failover while it is made anew is made once more', async () => {
  const redis = openConnection({ sentinel: sentinels.settings }, { name: 'test' }) as Redis
  onTestFinished(() => redis.disconnect())
  redis.on('error', () => undefined)
  await redis.connect()
  let ended = false
  redis.once('end', () => {
    ended = true
  })
  // As its watcher of failovers does.
  const { connector } = redis as unknown as { connector: { disconnect(): void } }
  redis.once('connecting', () => queueMicrotask(() => connector.disconnect()))
  redis.disconnect(true)
  await until(() => ended)
  await until(() => redis.ping())
})

test('behind Sentinel a failover loses nothing acknowledged, and a repeat is harmless', async () => {
  const { replica } = sentinels
  const connection = { sentinel: sentinels.settings }
  const { client, broker } = await openClient(connection, { durability: replicated })
  const acknowledged: string[] = []
  const failed: { id: string; code: unknown }[] = []
  let made = 0
  let going = true
  onTestFinished(() => {
    going = false
  })
  const produce = async () => {
    while (going) {
      const n = ++made
      const send = client.enqueue('note', { n }, { taskId: `task-${n}` })
      const error = await send.then(
        ({ id }) => void acknowledged.push(id),
        (error: { code: unknown }) => error,
      )
      if (error === undefined) continue
      failed.push({ id: `task-${n}`, code: error.code })
      await setTimeout(10)
    }
  }
  const producers = Array.from({ length: 10 }, produce)
  await until(() => acknowledged.length > 1000)
  halt(replica)
  const before = acknowledged.length
  await until(() => failed.some(({ code }) => code === 'store_unknown'))
  letGo(replica)
  await until(() => acknowledged.length > before + 200)
  await sentinels.master.kill()
  const promoted = async () =>
    (await rig.tell<string>(replica, 'INFO', 'replication')).includes('role:master')
  await until(promoted, { timeout: 20_000, describe: 'the failover' })
  // It has no replica of its own yet.
  const calls = failed.length
  await until(() => failed.length > calls + 10)
  going = false
  await Promise.all(producers)
  await rig.replicaOf(replica)
  const kept = await until(() => broker.find(rig.partition, acknowledged))
  expect(kept.filter((task) => task === undefined)).toEqual([])
  for (const { id } of failed.slice(0, 20)) {
    const send = () => client.enqueue('note', { n: Number(id.slice(5)) }, { taskId: id })
    await until(send)
    expect(await until(send)).toMatchObject({ id, duplicate: true })
  }
  const others = failed.filter(({ code }) => code !== 'store_unknown' && code !== 'store_away')
  expect(others).toEqual([])
}, 60_000)

describe('on a Redis Cluster', () => {
  test('the node that wrote is asked, wherever its slot lies, and no other is held up', async () => {
    const cluster = await startCluster(testRedisServer(), { replicas: true })
    onTestFinished(() => cluster.stop())
    const masters = cluster.nodes.slice(0, 3)
    const options = { durability: replicated, partitions: 3 }
    const { broker, prefix } = await openClient({ cluster: cluster.settings }, options)
    const parts = [0, 1, 2, 3, 4, 5].map((index) => ({ queue: 'main', index, of: 6 }))
    const keyOf = (index: number) => partitionKeys(prefix, parts[index] ?? rig.partition).tasks
    const waits = () => Promise.all(masters.map((node) => callsOf(node, 'wait')))
    const enqueue = (index: number, id: string, print?: string) =>
      broker.enqueue(parts[index] ?? rig.partition, [rig.taskOf(id, print)], false)

    const homes = await Promise.all(parts.map((_, index) => cluster.masterOf(keyOf(index))))
    for (const [index, home] of homes.entries()) {
      await enqueue(index, 'warm')
      const before = await waits()
      await enqueue(index, `cold${index}`)
      const after = await waits()
      const asked = masters.map((node, i) => [node === home, (after[i] ?? 0) - (before[i] ?? 0)])
      expect(asked).toEqual(masters.map((node) => [node === home, node === home ? 1 : 0]))
    }

    const [home] = homes
    const elsewhere = homes.findIndex((node) => node !== home)
    const other = homes[elsewhere]
    if (home === undefined || other === undefined) throw new Error('all parts lie on one node')
    const replica = cluster.nodes[3 + masters.indexOf(home)]
    if (replica === undefined) throw new Error('no replica')
    halt(replica)
    const refused = enqueue(0, 'mine', 'print')
    await enqueue(elsewhere, 'beside')
    await expect(refused).rejects.toMatchObject({ code: 'store_unknown' })
    await expect(enqueue(0, 'mine', 'print')).rejects.toMatchObject({ code: 'store_unknown' })

    // A slot moves only where all replicas follow.
    letGo(replica)
    await cluster.moveSlotOf(keyOf(0), other)
    const before = await callsOf(other, 'wait')
    expect(await until(() => enqueue(0, 'mine', 'print'))).toMatchObject([{ duplicate: true }])
    expect(await callsOf(other, 'wait')).toBeGreaterThan(before)
  })
})
