import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { partitionKeys } from '../../src/broker/keys.js'
import { enterRoom, leaveRoom } from '../../src/broker/memory/room.js'
import { MemoryStore } from '../../src/broker/memory-store.js'
import { RedisStore } from '../../src/broker/redis-store.js'
import { defineScript, fragment } from '../../src/broker/script.js'
import type { ScriptStore } from '../../src/broker/script-store.js'
import { silentLog } from '../../src/telemetry/log.js'
import { testRedisUrl } from '../support/redis.js'

const keys = partitionKeys(`t:${randomUUID().slice(0, 8)}`, { queue: 'default', index: 0, of: 1 })
const never = new AbortController().signal
const stores: ScriptStore[] = []

async function open(name: string = randomUUID()): Promise<MemoryStore> {
  const store = new MemoryStore(name)
  stores.push(store)
  await store.open()
  return store
}

async function openRedis(): Promise<ScriptStore> {
  const store = new RedisStore({
    connection: { url: testRedisUrl() },
    prefix: 't',
    commandTimeout: 5000,
    allowEviction: false,
    log: silentLog,
  })
  stores.push(store)
  await store.open()
  return store
}

/** Runs Lua with `tasks`, `waiting`, `dead` and `wake` as keys, and `call` as in every script. */
function run(store: ScriptStore, lua: string, ...args: (string | number)[]): Promise<unknown> {
  const base = fragment('base', 'local call, unpack = redis.call, unpack or table.unpack')
  const script = defineScript({
    name: 'probe',
    keys: ['tasks', 'waiting', 'dead', 'wake'],
    args: [],
    body: [base, fragment('probe', lua)],
  })
  return store.run(
    script,
    script.keys.map((key) => keys[key]),
    args,
  )
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
})

/** Each answers text or a list of texts, the same on Redis and in process. */
const probes: [says: string, lua: string, ...args: (string | number)[]][] = [
  ['text of any kind', 'return ARGV[1]', 'ünï 𝄞 \u0000 \u0001;,='],
  [
    'sizes in bytes',
    'return { tostring(#ARGV[1] == 16), string.sub(ARGV[1], 1, 3) }',
    'ünï 𝄞 \u0000abc',
  ],
  ['an empty list', 'return {}'],
  [
    'a list that grew bit by bit',
    "local t = {} for i = 1, 3 do t[#t + 1] = 'x' .. ARGV[i] end return t",
    'a',
    '',
    'c',
  ],
  ['half a character', 'return { string.sub(ARGV[1], 1, 2), string.sub(ARGV[1], 3) }', 'aünï'],
  [
    'large numbers',
    "local now = tonumber(ARGV[1]) return string.format('%.0f', now * 1000 + 1)",
    3_000_000,
  ],
  ['a fence', "return string.format('%016.0f', tonumber(ARGV[1]) * 1000)", 1_764_000_000_123],
  [
    'rounding',
    "return string.format('%.0f %.2f', math.floor(tonumber(ARGV[1])) * 4000, -1.005)",
    2e6 + 0.75,
  ],
  [
    'values that are missing or empty',
    `call('HSET', tasks, 'a', '1', 'empty', '')
    local list = call('HMGET', tasks, 'a', 'none', 'empty', 'constructor')
    return { tostring(call('HGET', tasks, 'none')), call('HGET', tasks, 'empty'), tostring(#list),
      list[1], tostring(list[2]), list[3], tostring(list[4]), tostring(call('HGET', dead, 'x')) }`,
  ],
  [
    'fields with the names of object members',
    `local names = { '__proto__', 'constructor', 'hasOwnProperty', 'toString', '7' }
    local t = {}
    for _, name in ipairs(names) do
      t[#t + 1] = tostring(call('HEXISTS', tasks, name) == 1)
      call('HSET', tasks, name, 'of ' .. name)
      t[#t + 1] = call('HGET', tasks, name)
    end
    call('HDEL', tasks, unpack(names))
    t[#t + 1] = tostring(call('HEXISTS', tasks, '__proto__') == 0)
    t[#t + 1] = tostring(call('HLEN', tasks) == 0)
    return t`,
  ],
  [
    'a counter',
    "call('HINCRBY', tasks, 'n', '2251799813685248') return string.format('%.0f', call('HINCRBY', tasks, 'n', '5'))",
  ],
  [
    'the order of equal scores, and a count',
    `call('ZADD', waiting, '1', 'b', '1', 'a', '0', 'z', '6755399441055744', 'last', '1.25', 'q')
    local t = call('ZRANGE', waiting, '0', '-1', 'WITHSCORES')
    t[#t + 1] = tostring(call('ZRANK', waiting, 'q') == 3 and call('ZREVRANK', waiting, 'q') == 1)
    t[#t + 1] = tostring(call('ZRANK', waiting, 'none'))
    for _, item in ipairs(call('ZPOPMIN', waiting, '2')) do t[#t + 1] = item end
    t[#t + 1] = call('ZSCORE', waiting, 'last')
    for _, item in ipairs(call('ZREVRANGE', waiting, '0', '0', 'WITHSCORES')) do t[#t + 1] = item end
    return t`,
  ],
  [
    'bounds of scores, open, closed and with a fraction',
    `call('ZADD', waiting, '1', 'a', '1.25', 'b', '1.5', 'c', '2', 'd', '-3.5', 'm')
    local t = {}
    local bounds = { '-inf', '+inf', '(1', '1', '1.25', '(1.25', '1.99', '(1.5', '2', '(2', '-3.5', '(-3.5', '-4' }
    for _, low in ipairs(bounds) do
      for _, high in ipairs(bounds) do
        t[#t + 1] = low .. ' ' .. high
        t[#t + 1] = string.format('%.0f', call('ZCOUNT', waiting, low, high))
        for _, item in ipairs(call('ZRANGEBYSCORE', waiting, low, high, 'WITHSCORES', 'LIMIT', '1', '2')) do
          t[#t + 1] = item
        end
        t[#t + 1] = table.concat(call('ZRANGEBYSCORE', waiting, low, high), ' ')
      end
    end
    return t`,
  ],
  [
    'a sorted set and a set that were emptied',
    `call('ZADD', waiting, '1', 'a', '2', 'b')
    call('SADD', dead, 'x', 'y')
    local t = { tostring(call('EXISTS', waiting) == 1), tostring(call('EXISTS', wake) == 0) }
    call('ZREM', waiting, 'a', 'b')
    call('SREM', dead, 'x', 'y')
    t[3] = tostring(call('EXISTS', waiting) == 0 and call('EXISTS', dead) == 0)
    t[4] = tostring(#call('SMEMBERS', dead) == 0 and #call('ZRANGE', waiting, '0', '-1') == 0)
    return t`,
  ],
  [
    'a thousand arguments at once',
    `local t = {}
    for i = 1, 2000 do t[i] = 'k' .. string.format('%.0f', i) end
    call('HSET', tasks, unpack(t))
    return { tostring(call('HLEN', tasks) == 1000), call('HGET', tasks, 'k1999') }`,
  ],
]

describe('scripts in process answer as on Redis', () => {
  test.each(probes)('%s', async (_, lua, ...args) => {
    const clear = "call('DEL', tasks, waiting, dead, wake) return 'ok'"
    const redis = await openRedis()
    const memory = await open()
    await run(redis, clear)
    const wanted = await run(redis, lua, ...args)
    await run(redis, clear)
    expect(await run(memory, lua, ...args)).toEqual(wanted)
  })
})

describe('the in-process store', () => {
  test('a script that fails says why, and is a fault and not a lost answer', async () => {
    const store = await open()
    await expect(run(store, "error('no good')")).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('no good'),
    })
    await expect(run(store, "return call('ZADD', waiting, '1')")).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('syntax error'),
    })
    expect(await run(store, "return 'well again'")).toBe('well again')
  })

  test('stores of one name share what they hold, and closing one leaves the other', async () => {
    const name = randomUUID()
    const [one, two] = [await open(name), await open(name)]
    await run(one, "call('HSET', tasks, 'a', '1') call('ZADD', waiting, '2.5', 'a') return 'ok'")
    await one.close()
    await one.close()
    expect(await two.readHash(keys.tasks)).toEqual({ a: '1' })
    expect(await two.readScores(keys.waiting)).toEqual([['a', 2.5]])
    expect(await run(two, "return call('HGET', tasks, 'a')")).toBe('1')
    await expect(run(one, "return 'ok'")).rejects.toMatchObject({ code: 'closed' })
  })

  test('stores of different names hold nothing in common', async () => {
    const [one, two] = [await open(), await open()]
    await run(one, "call('HSET', tasks, 'a', '1') return 'ok'")
    expect(await two.readHash(keys.tasks)).toEqual({})
  })

  test('a hash is read back whole as it was written', async () => {
    const store = await open()
    const fields = { constructor: 'c', 'ünï 𝄞': '\u0000', empty: '', 7: 'seven' }
    await store.writeHash(keys.tasks, fields)
    expect(await store.readHash(keys.tasks)).toEqual(fields)
    const { cursor, pairs } = await store.scanHash(keys.tasks)
    expect([cursor, pairs.length]).toEqual(['0', 8])
    expect(await run(store, "return call('HGET', tasks, 'constructor')")).toBe('c')
  })

  test('a mark left by another store of the name wakes one waiter, each mark once', async () => {
    const name = randomUUID()
    const [one, two] = [await open(name), await open(name)]
    let woken = 0
    const woke = () => {
      woken += 1
    }
    const waits = [one, one, two].map((store) => store.block(keys.wake, 60_000, never).then(woke))
    const mark = "call('LPUSH', wake, '1') return 'ok'"
    await run(two, mark)
    await Promise.race(waits)
    expect(woken).toBe(1)
    await Promise.all([run(one, mark), run(one, mark)])
    await Promise.all(waits)
    expect(await run(one, "return tostring(call('EXISTS', wake) == 0)")).toBe('true')
  })

  test('a wait ends by its time, by its signal, and when its store closes', async () => {
    const store = await open()
    await store.block(keys.wake, 5, never)
    await store.block(keys.wake, 60_000, AbortSignal.abort())
    const stop = new AbortController()
    const stopped = store.block(keys.wake, 60_000, stop.signal)
    stop.abort()
    await stopped
    const waiting = store.block(keys.wake, 60_000, never)
    await store.close()
    await waiting
    await store.block(keys.wake, 60_000, never)
  })

  describe('with a stream', () => {
    const stream = keys.events
    /** Adds so many entries, and gives the id of the last. */
    const add = async (store: MemoryStore, amount: number, cut = '') => {
      const script = defineScript({
        name: 'fill',
        keys: ['events'],
        args: ['amount'],
        body: [
          fragment(
            'fill',
            `local id for i = 1, tonumber(amount) do id = redis.call('XADD', events, ${cut}'*', 'a', 'b') end
            return id`,
          ),
        ],
      })
      return String(await store.run(script, [stream], [amount]))
    }
    const follow = (store: MemoryStore, last: string, signal = never) =>
      store.followStreams(new Map([[stream, last]]), 60_000, signal)

    test('who follows reads what is new, and not what is before it', async () => {
      const name = randomUUID()
      const store = await open(name)
      const room = enterRoom(name)
      onTestFinished(() => leaveRoom(name, room))
      let last = await add(store, 5000)
      const read = vi.spyOn(room.redis, 'lrange')
      for (let i = 0; i < 20; i++) {
        const following = follow(store, last)
        last = await add(store, 1)
        expect((await following).get(stream)?.map(({ id }) => id)).toEqual([last])
      }
      const answers = await Promise.all(read.mock.results.map(({ value }) => value))
      expect(answers.flat().length).toBeLessThan(100)
    })

    test('who is behind is given a hundred at a time, and a place that is cut off is passed over', async () => {
      const store = await open()
      const first = await add(store, 250)
      const ids = (await follow(store, '0-0')).get(stream)?.map(({ id }) => id)
      expect([ids?.length, ids?.at(-1)]).toEqual([100, '100-0'])
      const last = await add(store, 1, `'MINID', '~', '${first}', `)
      expect((await follow(store, '7-0')).get(stream)?.map(({ id }) => id)).toEqual([first, last])
      const range = (from: string, to: string) =>
        store.readStream(stream, { from, to, count: 1000 }).then((all) => all.map(({ id }) => id))
      expect(await range('-', '+')).toEqual([first, last])
      expect(await range(last, '+')).toEqual([last])
      expect(await range('9999-0', '+')).toEqual([])
      expect(await range('1-0', first)).toEqual([first])
      expect(await store.lastInStream(stream)).toBe(last)
    })

    test('who follows is let go by its signal and by the close, after which none follows', async () => {
      const store = await open()
      const stop = new AbortController()
      const following = follow(store, '0-0', stop.signal)
      stop.abort()
      expect((await following).size).toBe(0)
      const last = follow(store, '0-0')
      await store.close()
      expect((await last).size).toBe(0)
      await expect(follow(store, '0-0')).rejects.toMatchObject({ code: 'closed' })
    })
  })
})
