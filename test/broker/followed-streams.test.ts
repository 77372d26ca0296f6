import { Redis } from 'ioredis'
import { beforeEach, expect, test } from 'vitest'
import { FollowedStreams } from '../../src/broker/followed-streams.js'
import { startRedis, type TestRedis, until } from '../support/redis.js'

let server: TestRedis
let redis: Redis
let streams: FollowedStreams

beforeEach(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  streams = new FollowedStreams({ url: server.url })
  return async () => {
    streams.close()
    redis.disconnect()
    await server.stop()
  }
})

const key = 'followed'
const follow = (signal: AbortSignal, ms = 60_000) =>
  streams.follow(new Map([[key, '0-0']]), { ms, signal })

const connections = async () =>
  String(await redis.client('LIST'))
    .split('\n')
    .filter((line) => line.includes('name=redisdistro-events')).length

const isFollowed = async () =>
  /name=redisdistro-events.* cmd=xread/.test(String(await redis.client('LIST')))

test('a connection that blocks goes at the abort, and what comes then is empty', async () => {
  const stop = new AbortController()
  const following = follow(stop.signal)
  await until(isFollowed)
  stop.abort()
  expect(await following).toEqual(new Map())
  await until(async () => (await connections()) === 0)
  expect(await follow(stop.signal)).toEqual(new Map())
  expect(await connections()).toBe(0)
})

test('a connection goes at the abort also where its call was answered', async () => {
  const stop = new AbortController()
  await redis.xadd(key, '*', 'a', 'b')
  expect((await follow(stop.signal)).get(key)).toHaveLength(1)
  expect(await connections()).toBe(1)
  stop.abort()
  await until(async () => (await connections()) === 0)
})

test('after the close nothing is followed any more, and none connects', async () => {
  const { signal } = new AbortController()
  const following = follow(signal)
  const ended = expect(following).rejects.toThrow()
  await until(isFollowed)
  streams.close()
  await ended
  await expect(follow(signal)).rejects.toThrow('no more')
  await until(async () => (await connections()) === 0)
})
