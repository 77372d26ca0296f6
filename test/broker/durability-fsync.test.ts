import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openStore } from '../../src/broker/open-store.js'
import { redisSchema } from '../../src/broker/redis-settings.js'
import { silentLog } from '../../src/telemetry/log.js'
import { project } from '../kernel/project.js'
import { testRedisServer, until } from '../support/redis.js'
import * as rig from './durability-rig.js'
import { pidsOf } from './embedded/rig.js'

const { callsOf, clientOf, fsync, openClient, partition, payloads, server, tell } = rig

const file = (policy: string) => ['--appendonly', 'yes', '--appendfsync', policy]
const { major, valkey } = await rig.versionOfServer()
/** Whether the suite's server can say for certain what is on disk. */
const certain = major >= 8 && !valkey

afterEach(() => vi.unstubAllEnvs())

const refusal = (says: RegExp) => ({
  code: 'unsafe_redis',
  message: expect.stringMatching(says),
})

describe('fsync', () => {
  test('is refused of a server without an append-only file, with what to do', async () => {
    const redis = await server()
    const { broker } = clientOf({ url: redis.url }, { durability: fsync })
    await expect(broker.open()).rejects.toMatchObject(refusal(/set appendonly yes/))
    await expect(broker.enqueue(partition, [], false)).rejects.toMatchObject({
      code: 'unsafe_redis',
    })
  })

  test.each(['everysec', 'no'])('is refused with appendfsync %s', async (policy) => {
    const redis = await server(...file(policy))
    const { broker } = clientOf({ url: redis.url }, { durability: fsync })
    await expect(broker.open()).rejects.toMatchObject(refusal(/set appendfsync always/))
  })

  test('is acknowledged where the server syncs before it answers', async () => {
    const redis = await server(...file('always'))
    const { client, warnings } = await openClient({ url: redis.url }, { durability: fsync })
    expect(await client.enqueueMany('note', payloads(300))).toHaveLength(300)
    const send = () => client.enqueue('note', { n: 1 }, { taskId: 'a' })
    expect(await send()).toMatchObject({ duplicate: false })
    expect(await send()).toMatchObject({ duplicate: true })
    expect(warnings).toEqual([])
  })

  test('is acknowledged no more once the file is no longer kept', async () => {
    const redis = await server(...file('always'))
    const { client } = await openClient({ url: redis.url }, { durability: fsync })
    await client.enqueue('note', { n: 0 })
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'no')
    const send = () => client.enqueue('note', { n: 1 }, { taskId: 'a' })
    await expect(send()).rejects.toMatchObject({
      code: 'store_unknown',
      message: expect.stringMatching(/append.* may have been written; repeat with the same taskId/),
    })
    // From then on it is asked before anything is sent.
    await expect(send()).rejects.toMatchObject({ code: 'unsafe_redis' })
    await tell(redis, 'CONFIG', 'SET', 'rdb-key-save-delay', '10000000')
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'yes')
    // What is written before the new file is whole would not be read from it.
    await expect(send()).rejects.toMatchObject(refusal(/still writing its first/))
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'no')
    await tell(redis, 'CONFIG', 'SET', 'rdb-key-save-delay', '0')
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'yes')
    expect(await until(send)).toMatchObject({ duplicate: true })
  })

  test('is refused while the first file is being written, and then acknowledged', async () => {
    const redis = await server('--appendfsync', 'always')
    await tell(redis, 'SET', 'some', 'key')
    await tell(redis, 'CONFIG', 'SET', 'rdb-key-save-delay', '10000000')
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'yes')
    const { broker, client } = clientOf({ url: redis.url }, { durability: fsync })
    await expect(broker.open()).rejects.toMatchObject(refusal(/still writing its first/))
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'no')
    await tell(redis, 'CONFIG', 'SET', 'rdb-key-save-delay', '0')
    await tell(redis, 'CONFIG', 'SET', 'appendonly', 'yes')
    await until(() => client.enqueue('note', { n: 1 }))
  })

  test.skipIf(certain)('is refused where nothing is synced during a rewrite', async () => {
    const redis = await server(...file('always'), '--no-appendfsync-on-rewrite', 'yes')
    const { broker, client } = clientOf({ url: redis.url }, { durability: fsync })
    await expect(broker.open()).rejects.toMatchObject(refusal(/no-appendfsync-on-rewrite no/))
    await tell(redis, 'CONFIG', 'SET', 'no-appendfsync-on-rewrite', 'no')
    await until(() => client.enqueue('note', { n: 1 }))
    await tell(redis, 'CONFIG', 'SET', 'no-appendfsync-on-rewrite', 'yes')
    await expect(client.enqueue('note', { n: 2 })).rejects.toMatchObject({
      code: 'store_unknown',
      message: expect.stringContaining('no-appendfsync-on-rewrite yes'),
    })
  })

  test('is refused of a user that may not ask for it', async () => {
    const redis = await server(...file('always'))
    const rights = ['+@all', '-config', '-waitaof'].slice(0, major >= 7 && certain ? 3 : 2)
    await tell(redis, 'ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '&*', ...rights)
    const url = redis.url.replace('//', '//deaf:secret@')
    const { broker } = clientOf({ url }, { durability: fsync })
    await expect(broker.open()).rejects.toMatchObject(refusal(/give it \+/))
  })

  test.runIf(certain)('waits for the next sync where there is one each second', async () => {
    const redis = await server(...file('everysec'))
    const options = { durability: fsync, commandTimeout: 5000 }
    const { client } = await openClient({ url: redis.url }, options)
    const before = await callsOf(redis, 'waitaof')
    await client.enqueueMany('note', payloads(100))
    expect((await callsOf(redis, 'waitaof')) - before).toBe(1)
    const persistence = await tell<string>(redis, 'INFO', 'persistence')
    expect(persistence).toMatch(/aof_pending_bio_fsync:0/)
  })

  test.runIf(certain)('a sync that does not come in time is no acknowledgement', async () => {
    const redis = await server(...file('always'))
    const { client } = await openClient({ url: redis.url }, { durability: fsync })
    await client.enqueue('note', { n: 0 })
    await tell(redis, 'CONFIG', 'SET', 'appendfsync', 'no')
    const send = () => client.enqueue('note', { n: 1 }, { taskId: 'a' })
    await expect(send()).rejects.toThrow(/was not on disk within/)
    await tell(redis, 'CONFIG', 'SET', 'appendfsync', 'always')
    expect(await until(send)).toMatchObject({ duplicate: true })
  })
})

describe('where no Redis is named', () => {
  const storeOf = async (durability: 'fsync' | 'replicated') => {
    const directory = await project({})
    const redis = redisSchema.parse({ durability })
    const options = { redis, directory, production: false, alone: true, log: silentLog }
    return { directory, store: () => openStore(options) }
  }

  test('the embedded server syncs before it answers, after its restart too', async () => {
    vi.stubEnv('REDISDISTRO_REDIS_SERVER', testRedisServer())
    const { directory, store } = await storeOf('fsync')
    const { broker, kind, close } = await store()
    onTestFinished(close)
    expect(kind).toBe('embedded')
    const enqueue = (id: string) => broker.enqueue(partition, [rig.taskOf(id)], false)
    expect(await enqueue('a')).toMatchObject([{ id: 'a', duplicate: false }])
    const { redis } = pidsOf(directory)
    process.kill(redis, 'SIGKILL')
    await until(() => pidsOf(directory).redis !== redis)
    expect(await until(() => enqueue('b'))).toMatchObject([{ id: 'b' }])
    expect(await broker.find(partition, ['a', 'b'])).toMatchObject([{ id: 'a' }, { id: 'b' }])
  })

  test('it has no replicas, and the in-process store nothing at all', async () => {
    vi.stubEnv('REDISDISTRO_REDIS_SERVER', testRedisServer())
    const refused = async (durability: 'fsync' | 'replicated', words: RegExp) => {
      const { store } = await storeOf(durability)
      await expect(store()).rejects.toMatchObject(refusal(words))
    }
    await refused('replicated', /embedded .* has no replicas/)
    vi.stubEnv('REDISDISTRO_REDIS_SERVER', '')
    vi.stubEnv('PATH', '/nowhere')
    await refused('fsync', /in-process .* keeps nothing/)
    await refused('replicated', /in-process .* keeps nothing/)
  })
})
