import { expect, test } from 'vitest'
import { readConfig } from '../../src/kernel/read-config.js'
import { failureOf, project } from './project.js'

const config = { redis: { url: 'redis://config:1' }, http: { port: 4000, host: '127.0.0.2' } }
const read = (directory: string, env: Record<string, string>, more: object = {}) =>
  readConfig({ directory, env, config, ...more })

test('a flag beats the environment, the environment .env, and .env the config', async () => {
  const bare = await project({})
  const settings = async (directory: string, env: Record<string, string>, flags = {}) => {
    const { redis, http } = await read(directory, env, { flags })
    return [redis.url, (http || undefined)?.port]
  }
  expect(await settings(bare, {})).toEqual(['redis://config:1', 4000])
  const file = await project({ '.env': 'REDIS_URL=redis://file:1\nPORT=4001\n' })
  expect(await settings(file, {})).toEqual(['redis://file:1', 4001])
  const env = { REDIS_URL: 'redis://env:1', PORT: '4002' }
  expect(await settings(file, env)).toEqual(['redis://env:1', 4002])
  const flags = { redisUrl: 'redis://flag:1', port: '4003' }
  expect(await settings(file, env, flags)).toEqual(['redis://flag:1', 4003])
  const { sources } = await read(file, env, { flags: { port: 4003 } })
  expect(sources.get('http.port')).toBe('command line')
  expect(sources.get('redis.url')).toBe('environment REDIS_URL')
})

test('an empty variable is unset, in the environment and in .env', async () => {
  const directory = await project({ '.env': 'REDIS_URL=\nPORT=4001\nQUEUE_KEY=\nDEAD_KEY=\n' })
  const resolved = await read(directory, { PORT: '', REDIS_URL: '', API_TOKEN: '', DEAD_KEY: '' })
  expect(resolved.redis.url).toBe('redis://config:1')
  expect(resolved.http).toMatchObject({ port: 4001, tokens: { api: [] } })
  expect(resolved.defaultQueue).toBe('default')
  expect(resolved.defaults.deadLetter).toBe('dead')
})

test('REDIS_URL replaces whatever connection the config has', async () => {
  const directory = await project({})
  const sentinel = { redis: { sentinel: { name: 'm', nodes: [{ host: 'a' }] } } }
  const resolved = await read(directory, { REDIS_URL: 'embedded' }, { config: sentinel })
  expect(resolved.redis).toMatchObject({ url: 'embedded', sentinel: undefined })
})

test('tokens are split at commas, for rotation', async () => {
  const directory = await project({})
  const { http } = await read(directory, {
    API_TOKEN: 'old, new',
    READ_TOKEN: 'r',
    HOST: '0.0.0.0',
  })
  expect(http).toMatchObject({
    host: '0.0.0.0',
    tokens: { api: ['old', 'new'], enqueue: [], read: ['r'] },
  })
})

test('a host beyond loopback without API_TOKEN is refused, from wherever it comes', async () => {
  const directory = await project({})
  for (const [env, more] of [
    [{ HOST: '0.0.0.0' }, {}],
    [{ HOST: '::', READ_TOKEN: 'r' }, {}],
    [{}, { config: { http: { host: 'example.com' } } }],
  ] as const) {
    const error = await failureOf(read(directory, env, more))
    expect(error).toMatchObject({ code: 'bad_config' })
    expect(error.message).toContain('set API_TOKEN')
  }
  for (const host of ['localhost', '127.1.2.3', '::1']) {
    expect((await read(directory, { HOST: host })).http).toMatchObject({ host })
  }
})

test('a variable that cannot be used is named, without its secret', async () => {
  const directory = await project({})
  const error = await failureOf(
    read(directory, {
      PORT: 'abc',
      QUEUE_KEY: 'a b',
      LOG_LEVEL: 'loud',
      REDIS_URL: 'http://user:hunter22@a',
    }),
  )
  expect(error).toMatchObject({ code: 'bad_config' })
  expect(error.message).toContain('PORT: "abc" is refused: must be 0 to 65535')
  expect(error.message).toContain('QUEUE_KEY: "a b" is refused')
  expect(error.message).toContain('LOG_LEVEL: "loud" is refused')
  expect(error.message).toContain('REDIS_URL: ')
  expect(error.message).not.toContain('hunter22')
})

test('what cannot be used is named by where it was set: flag, variable or .env', async () => {
  const directory = await project({ '.env': 'QUEUE_KEY=a b\n' })
  const flags = { redisUrl: 'http://user:hunter22@a' }
  const error = await failureOf(read(directory, { PORT: 'abc', REDIS_URL: 'x' }, { flags }))
  expect(error.message.split('\n')).toEqual([
    'the command line cannot be used:',
    expect.stringMatching(/^ {2}--redis-url: its value /),
    `${directory}/.env cannot be used:`,
    expect.stringMatching(/^ {2}QUEUE_KEY: "a b" /),
    'the environment cannot be used:',
    expect.stringMatching(/^ {2}PORT: "abc" /),
  ])
  expect(error).toMatchObject({ issues: [{ path: '--redis-url' }, {}, { path: 'PORT' }] })
})

test('.env is told apart from the environment, also once it was put into it', async () => {
  const directory = await project({ '.env': 'DEAD_KEY=graves\nPORT=4001\n' })
  const { sources } = await read(directory, { DEAD_KEY: 'graves', PORT: '4002' })
  expect(sources.get('defaults.deadLetter')).toBe('.env DEAD_KEY')
  expect(sources.get('http.port')).toBe('environment PORT')
})

test('QUEUE_KEY renames the queue that default means, with its settings', async () => {
  const directory = await project({})
  const queues = { default: { concurrency: 50 }, images: {} }
  const resolved = await read(directory, { QUEUE_KEY: 'jobs' }, { config: { queues } })
  expect([...resolved.queues.keys()]).toEqual(['jobs', 'images'])
  expect(resolved.queues.get('jobs')?.concurrency).toBe(50)
  expect(resolved.sources.get('queues.jobs.concurrency')).toBe('config')
  const named = { queues: { jobs: { concurrency: 5 } } }
  const same = await read(directory, { QUEUE_KEY: 'jobs' }, { config: named })
  expect(same.queues.get('jobs')?.concurrency).toBe(5)
  const both = { queues: { default: {}, jobs: {} } }
  const error = await failureOf(read(directory, { QUEUE_KEY: 'jobs' }, { config: both }))
  expect(error.message).toContain("queues has both 'default' and 'jobs'")
})

test('DEAD_KEY is the default dead-letter key', async () => {
  const directory = await project({})
  const resolved = await read(directory, { DEAD_KEY: 'graves' })
  expect(resolved.defaults.deadLetter).toBe('graves')
  expect(resolved.sources.get('defaults.deadLetter')).toBe('environment DEAD_KEY')
})
