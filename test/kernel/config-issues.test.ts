import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { distance, nearest } from '../../src/core/spelling.js'
import { parseConfig } from '../../src/kernel/read-config.js'

function refusal(config: unknown): {
  message: string
  issues: { path: string; message: string }[]
} {
  try {
    parseConfig(config, 'the config')
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad_config' })
    return error as never
  }
  throw new Error('the config was taken')
}

const first = (config: unknown) => {
  const { issues } = refusal(config)
  return `${issues[0]?.path}: ${issues[0]?.message}`
}

test('an unknown key is named with its path, its value, what is allowed and what was meant', () => {
  expect(first({ queues: { images: { concurency: 8 } } })).toBe(
    'queues.images.concurency: 8 is not known here; allowed: concurrency, partitions, rate, ' +
      "maxActive, weight, retry, timeout, deadLetter, retention; did you mean 'concurrency'?",
  )
  expect(first({ scheduler: {} })).toBe(
    'scheduler: {} is not known here; allowed: redis, plugins, pluginRoots, tasks, schedules, queues, ' +
      "defaults, worker, http, telemetry, time; did you mean 'schedules'?",
  )
  expect(first({ defaults: { retry: { attemps: 3 } } })).toContain("did you mean 'attempts'?")
  expect(first({ http: { admin: { prot: 1 } } })).toContain('http.admin')
  expect(first({ worker: { leese: '1s' } })).toContain("did you mean 'lease'?")
  expect(first({ tasks: { email: { retry: { delai: 1 } } } })).toContain("did you mean 'delay'?")
  expect(first({ queues: { a: { speed: '14/s' } } })).toContain('"14/s" is not known here')
})

test('a value of the wrong kind is named with its path, itself and the rule', () => {
  expect(first({ queues: { images: { concurrency: '8' } } })).toBe(
    'queues.images.concurrency: "8" is refused: expected number, received string',
  )
  expect(first({ worker: { lease: 'soon' } })).toContain('worker.lease: "soon" is not a duration')
  expect(first({ worker: { lease: '10ms' } })).toBe(
    'worker.lease: "10ms" is refused: must be at least 1s',
  )
  expect(first({ time: { tz: 'Rome' } })).toContain(
    'time.tz: "Rome" is refused: must be an IANA zone',
  )
  expect(first({ queues: { 'a b': {} } })).toContain('queues.a b')
  expect(first({ queues: { 'a b': {} } })).toContain('a name must be 1 to 128 of')
  expect(first({ http: 5 })).toBe('http: 5 is refused: must be an object, or false for no server')
  expect(first({ http: { port: 70_000 } })).toContain('http.port: 70000')
  expect(first({ plugins: [() => 1] })).toContain('plugins.0: a function')
  expect(first({ plugins: [{ name: 'x' }] })).toContain('plugins.0: {"name":"x"} is not a plugin')
  expect(refusal([]).message).toContain('expected object')
})

test('everything that is wrong is listed at once', () => {
  const { issues, message } = refusal({
    redis: { prefix: 'a b' },
    queues: { images: { concurency: 8, partitions: 0 } },
    extra: true,
  })
  expect(issues.map(({ path }) => path).sort()).toEqual([
    'extra',
    'queues.images.concurency',
    'queues.images.partitions',
    'redis.prefix',
  ])
  expect(message.split('\n')).toHaveLength(5)
})

test('only one way to reach Redis may be given', () => {
  const sentinel = { name: 'm', nodes: [{ host: 'a' }] }
  expect(first({ redis: { url: 'redis://a', sentinel } })).toContain(
    'url and sentinel are both given; give one of them',
  )
  expect(parseConfig({ redis: { url: '', sentinel } }, 'x').redis.sentinel?.nodes[0]?.port).toBe(
    26_379,
  )
})

test('no message shows a secret', () => {
  expect(refusal({ redis: { url: 'http://user:hunter22@a' } }).message).not.toContain('hunter22')
  expect(refusal({ http: { tokens: { api: [5, 'hunter22'] } } }).message).not.toContain('hunter22')
  expect(first({ plugins: [{ password: 12345678 }] })).not.toContain('12345678')
  for (const lease of ['redis://:hunter22@a', `redis://${'a'.repeat(30)}:hunter22@a`]) {
    expect(first({ worker: { lease } })).not.toContain('hunter')
  }
})

test('a proxy to trust is a boolean or what can be an address, and the server takes it', () => {
  const rule = "must be true, false, or addresses such as '10.0.0.7'"
  const bad = [
    ...[
      'nonsense',
      '',
      '10.0.0',
      '10.0.0.0/0',
      '10.0.0.0/33',
      '10.0.0.0/255.0.255.0',
      '1.2.3.4/8/8',
    ],
    ...['10.0.0.1,', 'fc00::/129', 'fc00::/ffff::', 'localhost', '10.0.0.0/', 'fe80::1%eth-0'],
  ]
  for (const trustProxy of bad) {
    const said = `http.trustProxy: ${JSON.stringify(trustProxy)} is refused: ${rule}`
    expect(first({ http: { trustProxy } })).toContain(said)
    expect(first({ http: { trustProxy: ['loopback', trustProxy] } })).toContain('http.trustProxy')
  }
  for (const trustProxy of [1, null, {}]) {
    expect(first({ http: { trustProxy } })).toContain(`is refused: ${rule}`)
  }
  const good = [
    ...['loopback', 'uniquelocal, 10.1.2.3', '10.0.0.0/8', '10.0.0.0/255.0.0.0', '::1', 'fc00::/7'],
    ...['::ffff:10.0.0.1', '::ffff:10.0.0.0/104', '2001:db8::/032', '127.0.0.1/1'],
  ]
  for (const trustProxy of [...good, ...good.map((text) => text.split(', ')), [], true, false]) {
    expect(parseConfig({ http: { trustProxy } }, 'x').http).toMatchObject({ trustProxy })
    expect(() => fastify({ trustProxy })).not.toThrow()
  }
})

test('an empty config has every default', () => {
  const hour = 3_600_000
  const cancelled = { age: 24 * hour, count: 10_000 }
  expect(parseConfig({}, 'x')).toEqual({
    redis: {
      prefix: 'rd',
      durability: 'async',
      replicas: 1,
      commandTimeout: 900,
      allowEviction: false,
    },
    plugins: [],
    pluginRoots: [],
    tasks: {},
    schedules: {},
    queues: {},
    defaults: {
      retry: { attempts: 10, backoff: 'exponential', delay: 5000, maxDelay: hour, jitter: 0.2 },
      timeout: 600_000,
      deadLetter: 'dead',
      retention: {
        completed: { age: 24 * hour, count: 10_000 },
        dead: { age: 90 * 24 * hour, count: 1_000_000 },
        cancelled,
      },
    },
    worker: {
      lease: 30_000,
      shutdownGrace: 25_000,
      mismatchGrace: hour,
      maxBlocked: 300_000,
      maxCrashes: 2,
    },
    http: {
      host: '127.0.0.1',
      port: 3000,
      tokens: { api: [], enqueue: [], read: [] },
      bodyLimit: 1_048_576,
      batchLimit: 10_000,
      headerLimit: 16_384,
      payload: { maxDepth: 64, maxValues: 10_000 },
      requestTimeout: 10_000,
      stallTimeout: 30_000,
      keepAliveTimeout: 72_000,
      maxConnections: 2000,
      maxListeners: 100,
      rateLimit: false,
      cors: false,
      trustProxy: false,
      admin: false,
    },
    telemetry: { service: 'redisdistro', traces: true, metrics: true },
    time: { tz: 'UTC' },
  })
})

test('words are near where one slip leads from one to the other', () => {
  expect(distance('concurency', 'concurrency')).toBe(1)
  expect(distance('leaes', 'lease')).toBe(1)
  expect(nearest('prot', ['host', 'port', 'tokens'])).toBe('port')
  expect(nearest('xyz', ['host', 'port'])).toBeUndefined()
})
