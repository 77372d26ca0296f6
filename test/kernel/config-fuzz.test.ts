import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRedisDistroError } from 'redisdistro'
import { afterEach, expect, test } from 'vitest'
import { explainConfig } from '../../src/kernel/explain-config.js'
import { parseConfig, readConfig } from '../../src/kernel/read-config.js'
import { fc, tried } from '../support/fuzz.js'
import { project } from './project.js'

const names = [
  ...['redis', 'plugins', 'pluginRoots', 'tasks', 'queues', 'defaults', 'worker', 'http', 'time'],
  ...['telemetry', 'url', 'sentinel', 'cluster', 'nodes', 'tls', 'prefix', 'commandTimeout', 'tz'],
  ...['concurrency', 'partitions', 'retry', 'attempts', 'delay', 'timeout', 'deadLetter', 'lease'],
  ...[
    'retention',
    'completed',
    'age',
    'count',
    'tokens',
    'api',
    'host',
    'port',
    'rateLimit',
    'max',
  ],
  ...[
    'window',
    'admin',
    'default',
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'hasOwnProperty',
  ],
]
const leaves = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    '1s',
    '10m',
    '-1s',
    '1e9h',
    'UTC',
    'redis://:pw@h',
    'rediss://',
    'embedded',
    './a.ts',
  ),
  fc.constantFrom(0, 1, -1, 1.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 3000, 65_536),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
)
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...names) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
)
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 3, arbitrary: leaves },
    { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 3 }) },
    // As JSON.parse would make it, so that `__proto__` is a key of its own.
    {
      weight: 4,
      arbitrary: fc
        .array(fc.tuple(key, tie('tree')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries)),
    },
  ),
}))
/** Something put in at a key of the top. */
const configs = fc.oneof(
  tree,
  fc
    .tuple(fc.constantFrom(...names.slice(0, 10)), tree)
    .map(([name, value]) => ({ [name]: value })),
)

const { prototype } = Object
const before = Object.getOwnPropertyNames(prototype).sort()
afterEach(() => {
  expect(Object.getOwnPropertyNames(prototype).sort()).toEqual(before)
  expect(Object.getOwnPropertyNames(Array.prototype)).toContain('map')
})

/** The error's words, where it is one of the product's own. */
function known(error: unknown): string {
  if (isRedisDistroError(error) && error.code === 'bad_config') return error.message
  throw error
}

test('any tree is a config, or is refused by paths', { timeout: 300_000 }, () => {
  let refused = 0
  let taken = 0
  const property = fc.property(configs, (value) => {
    try {
      parseConfig(value, 'the config')
      taken += 1
    } catch (error) {
      refused += 1
      const words = known(error)
      expect(words).toContain('the config cannot be used')
      expect(words).not.toContain(':pw@')
      if (isRedisDistroError(error)) expect(error.issues.length).toBeGreaterThan(0)
    }
    expect(({} as Record<string, unknown>)['url']).toBeUndefined()
  })
  fc.assert(property, tried(5000))
  expect(Math.min(refused, taken)).toBeGreaterThan(5)
})

test('what is taken is read to its end, and can be told', { timeout: 300_000 }, async () => {
  const directory = await project({})
  const property = fc.asyncProperty(configs, async (value) => {
    try {
      const config = await readConfig({ config: value as never, directory, env: {} })
      expect(JSON.stringify(explainConfig(config))).not.toContain(':pw@')
    } catch (error) {
      known(error)
    }
  })
  await fc.assert(property, tried(4000, 20_000))
})

const text = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 200 }).map((words) => Buffer.from(words)),
  fc
    .array(
      fc.constantFrom(
        ...[
          '{',
          '}',
          '[',
          ']',
          ':',
          ',',
          '"',
          "'",
          '&a',
          '*a',
          '!!js/function',
          '- ',
          '\n',
          '  ',
          '?',
        ],
        ...[
          'queues',
          'redis',
          '__proto__',
          '"<<": *a',
          '1',
          'null',
          '%YAML',
          '---',
          '\t',
          '\0',
          '|',
          '>',
        ],
      ),
      { maxLength: 20 },
    )
    .map((parts) => Buffer.from(parts.join(''))),
  fc.json().map((json) => Buffer.from(json)),
)

test.each(['.redisdistrorc.json', '.redisdistrorc.yaml', '.redisdistrorc'])(
  'any bytes in %s are a config, or an error that names the file',
  { timeout: 300_000 },
  async (name) => {
    const directory = await project({})
    const property = fc.asyncProperty(text, async (bytes) => {
      await writeFile(join(directory, name), bytes)
      try {
        await readConfig({ directory, env: {} })
      } catch (error) {
        expect(known(error)).toContain(name)
      }
    })
    await fc.assert(property, tried(2500, 20_000))
  },
)

test('any bytes in a config of TypeScript are an error that names the file', {
  timeout: 300_000,
}, async () => {
  const directory = await project({})
  const file = join(directory, 'redisdistro.config.ts')
  // What parses might run: a text that is no code for certain is put before it.
  const property = fc.asyncProperty(text, async (bytes) => {
    await writeFile(file, Buffer.concat([Buffer.from('export default {{ '), bytes]))
    try {
      await readConfig({ directory, env: {} })
      throw new Error('it was taken')
    } catch (error) {
      expect(known(error)).toContain('redisdistro.config.ts')
    }
  })
  await fc.assert(property, tried(3000, 5000))
})

test('any bytes in .env are variables, or an error that names them', {
  timeout: 300_000,
}, async () => {
  const directory = await project({})
  const lines = fc.oneof(
    text,
    fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'PORT',
            'REDIS_URL',
            'QUEUE_KEY',
            'LOG_LEVEL',
            '__proto__',
            'constructor',
            'X',
          ),
          fc.oneof(
            fc.string({ unit: 'binary', maxLength: 20 }),
            fc.constantFrom('1', '"', "'a\n", '$X'),
          ),
        ),
        { maxLength: 5 },
      )
      .map((pairs) => Buffer.from(pairs.map((pair) => pair.join('=')).join('\n'))),
  )
  const property = fc.asyncProperty(lines, async (bytes) => {
    await writeFile(join(directory, '.env'), bytes)
    try {
      const config = await readConfig({ config: {}, directory, env: {} })
      expect(config.defaultQueue).toMatch(/^[\w.:-]{1,128}$/)
    } catch (error) {
      expect(known(error)).toMatch(/PORT|REDIS_URL|QUEUE_KEY|DEAD_KEY|LOG_LEVEL|HOST|\.env/)
    }
  })
  await fc.assert(property, tried(2500, 20_000))
})
