import { expect, onTestFinished, test, vi } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import { startRedis, testRedisServer, until } from '../support/redis.js'
import { startCluster } from '../support/redis-cluster.js'
import { idsOf, take } from './feed-reader.js'
import { RedisStage, to } from './redis-stage.js'

vi.setConfig({ testTimeout: 60_000 })

async function stageOn(connection: ConnectionSettings): Promise<RedisStage> {
  const stage = new RedisStage({ connection })
  await stage.open()
  onTestFinished(() => stage.close())
  return stage
}

test('after a Redis that lost all a listener hears of the gap, and then of what follows', async () => {
  const first = await startRedis()
  onTestFinished(() => first.stop())
  const stage = await stageOn({ url: first.url })
  const feed = await stage.operator.events({ queue: 'default' })
  const before = await stage.client.enqueue('email', to(1))
  expect((await take(feed, 1)).words).toEqual([`enqueue ${before.id}`])
  await first.kill()
  const second = await startRedis([], first.port)
  onTestFinished(() => second.stop())
  expect((await take(feed, 1)).words).toEqual(['gap main'])
  const after = await until(() => stage.client.enqueue('email', to(2)).catch(() => undefined))
  expect((await take(feed, 1)).words).toEqual([`enqueue ${after.id}`])
})

test('on a cluster every partition is heard, and who comes again misses none', async () => {
  const cluster = await startCluster(testRedisServer())
  onTestFinished(() => cluster.stop())
  const stage = await stageOn({ cluster: cluster.settings })
  const feed = await stage.operator.events({ queue: 'wide' })
  const images = async (amount: number) => {
    const payloads = Array.from({ length: amount }, (_, n) => ({
      url: `https://example.com/${n}.png`,
    }))
    // One by one, so that they lie in all partitions.
    const made = await Promise.all(payloads.map((one) => stage.client.enqueue('image', one)))
    return made.map(({ id }) => id).sort()
  }
  const first = await images(20)
  const { words, cursor } = await take(feed, 20)
  expect(idsOf(words).sort()).toEqual(first)
  feed.close()
  const missed = await images(20)
  const again = await stage.operator.events({ queue: 'wide' }, cursor)
  onTestFinished(() => again.close())
  const heard = idsOf((await take(again, 20)).words)
  expect(heard.sort()).toEqual(missed)
})
