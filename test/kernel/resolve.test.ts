import { defineConfig, definePlugin, defineTask } from 'redisdistro'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { explainConfig } from '../../src/kernel/explain-config.js'
import { type ReadConfigOptions, readConfig } from '../../src/kernel/read-config.js'
import { failureOf, project } from './project.js'

const task = (type: string, more: object = {}) =>
  defineTask({ type, payload: z.object({}), handle: () => undefined, ...more })
const plugin = (name: string, ...tasks: ReturnType<typeof task>[]) => definePlugin({ name, tasks })

async function read(config: ReadConfigOptions['config'], env: Record<string, string> = {}) {
  return readConfig({ directory: await project({}), config, env })
}

test('a task type goes by config over definition over queue over defaults, retry part by part', async () => {
  const thumbnail = task('thumbnail', {
    queue: 'images',
    retry: { attempts: 5, delay: '2s' },
    deadLetter: 'dead:thumbnail',
  })
  const config = defineConfig({
    plugins: [plugin('thumbnail', thumbnail)],
    queues: { images: { retry: { delay: '9s', jitter: 0.5 }, timeout: '1m', deadLetter: 'q' } },
    tasks: { thumbnail: { retry: { attempts: 3 } } },
    defaults: { retry: { maxDelay: '2h' } },
  })
  const resolved = await read(config)
  const { definition, plugin: owner, ...settled } = resolved.tasks.get('thumbnail') ?? {}
  expect(definition).toBe(thumbnail)
  expect(owner).toBe('thumbnail')
  expect(settled).toEqual({
    queue: 'images',
    retry: { attempts: 3, backoff: 'exponential', delay: 2000, maxDelay: 7_200_000, jitter: 0.5 },
    timeout: 60_000,
    deadLetter: 'dead:thumbnail',
  })
  const rows = new Map(explainConfig(resolved).map(({ path, source }) => [path, source]))
  const sources = ['attempts', 'delay', 'jitter', 'maxDelay', 'backoff'].map((part) =>
    rows.get(`tasks.thumbnail.retry.${part}`),
  )
  expect(sources).toEqual([
    'config tasks.thumbnail',
    'definition',
    'config queues.images',
    'config',
    'default',
  ])
  expect(rows.get('tasks.thumbnail.timeout')).toBe('config queues.images')
  expect(rows.get('tasks.thumbnail.queue')).toBe('definition')
})

test("a task's own decision by error is kept", async () => {
  const decide = () => 'bury' as const
  const { tasks } = await read({ plugins: [plugin('a', task('a', { retry: { decide } }))] })
  expect(tasks.get('a')?.retry.decide).toBe(decide)
})

test('a queue keeps ended tasks by its own retention over the default one, part by part', async () => {
  const { queues } = await read({
    queues: { images: { retention: { completed: { count: 0 } } } },
    defaults: { retention: { completed: { age: '1h' } } },
  })
  expect(queues.get('images')?.retention.completed).toEqual({ age: 3_600_000, count: 0 })
  expect(queues.get('default')?.retention.completed).toEqual({ age: 3_600_000, count: 10_000 })
  expect(queues.get('default')).toMatchObject({ concurrency: 10, partitions: 1 })
})

test('every value is listed with where it came from, and secrets are hidden', async () => {
  const config = { worker: { lease: '10s' }, redis: { url: 'redis://:hunter22@a:1' } }
  const resolved = await read(config, {
    API_TOKEN: 'hunter22,hunter23',
    DEAD_KEY: 'graves',
    PORT: '1',
  })
  const rows = explainConfig(resolved)
  expect(rows).toContainEqual({ path: 'worker.lease', value: 10_000, source: 'config' })
  expect(rows).toContainEqual({ path: 'worker.maxBlocked', value: 100_000, source: 'default' })
  expect(rows).toContainEqual({ path: 'http.port', value: 1, source: 'environment PORT' })
  expect(rows).toContainEqual({ path: 'queues.default.concurrency', value: 10, source: 'default' })
  expect(rows).toContainEqual({
    path: 'defaults.deadLetter',
    value: 'graves',
    source: 'environment DEAD_KEY',
  })
  expect(rows.find(({ path }) => path === 'redis.url')?.source).toBe('config')
  expect(JSON.stringify(rows)).not.toContain('hunter')
})

test("what a URL's query keeps to itself is hidden, by short names too", async () => {
  const query = 'authkey=Xq81&dbpass=Yq82&token=Zq83&authkey=Xq84&family=6'
  const rows = explainConfig(await read({ redis: { url: `redis://u@h/0?${query}` } }))
  expect(rows.find(({ path }) => path === 'redis.url')?.value).toBe(
    'redis://u@h/0?authkey=hidden&dbpass=hidden&token=hidden&family=6',
  )
})

test('what a queue says of its tasks is listed where it says it, and not elsewhere', async () => {
  const resolved = await read({
    queues: {
      images: { timeout: '1m', retry: { attempts: 3, delay: '9s' }, deadLetter: 'dead:images' },
    },
  })
  const rows = explainConfig(resolved).filter(({ path }) =>
    /^queues\.\w+\.(timeout|retry|deadLetter)/.test(path),
  )
  const source = 'config'
  expect(rows).toEqual([
    { path: 'queues.images.retry.attempts', value: 3, source },
    { path: 'queues.images.retry.delay', value: 9000, source },
    { path: 'queues.images.timeout', value: 60_000, source },
    { path: 'queues.images.deadLetter', value: 'dead:images', source },
  ])
})

test('the real name of a queue is listed with the variable that gave it', async () => {
  const config = {
    plugins: [plugin('a', task('a'), task('b', { queue: 'default' }))],
    queues: { default: { timeout: '1m' } },
  }
  const plain = explainConfig(await read(config))
  expect(plain).toContainEqual({ path: 'defaultQueue', value: 'default', source: 'default' })
  const rows = explainConfig(await read(config, { QUEUE_KEY: 'mails' }))
  const source = 'environment QUEUE_KEY'
  expect(rows).toContainEqual({ path: 'defaultQueue', value: 'mails', source })
  const queueOf = (type: string, from: string) => ({
    path: `tasks.${type}.queue`,
    value: 'mails',
    source: `${from}, renamed by ${source}`,
  })
  expect(rows).toContainEqual(queueOf('a', 'default'))
  expect(rows).toContainEqual(queueOf('b', 'definition'))
  // The config knows the queue by the name that it gave.
  const timeout = { path: 'tasks.a.timeout', value: 60_000, source: 'config queues.default' }
  expect(rows).toContainEqual(timeout)
})

test('variables that are no keys of the config, or beside one, are listed as sources', async () => {
  const rows = explainConfig(await read({}, { OTEL_SERVICE_NAME: 'shop', LOG_LEVEL: 'warn' }))
  const service = { path: 'telemetry.service', value: 'shop' }
  expect(rows).toContainEqual({ ...service, source: 'environment OTEL_SERVICE_NAME' })
  expect(rows).toContainEqual({
    path: 'logLevel',
    value: 'warn',
    source: 'environment LOG_LEVEL',
  })
  const plain = explainConfig(await read({}))
  expect(plain).toContainEqual({ path: 'logLevel', value: 'info', source: 'default' })
})

test('a task whose queue is not in queues is refused with the ones that are', async () => {
  const config = { plugins: [plugin('a', task('a', { queue: 'images' }))], queues: { mails: {} } }
  const error = await failureOf(read(config))
  expect(error).toMatchObject({ code: 'bad_config' })
  expect(error.message).toContain("task 'a' waits in the queue 'images' (definition)")
  expect(error.message).toContain('existing: default, mails')
})

test('options of a type that nobody defines are refused with the types that are', async () => {
  const error = await failureOf(
    read({ plugins: [plugin('email', task('email'))], tasks: { emial: { timeout: '1s' } } }),
  )
  expect(error.message).toBe(
    "tasks.emial: no plugin defines this type; existing: email; did you mean 'email'?",
  )
})

test('a queue may not share its keys with a partition of another', async () => {
  const error = await failureOf(read({ queues: { a: { partitions: 2 }, 'a:1': {} } }))
  expect(error.message).toContain('queues.a:1 would share its keys')
  await read({ queues: { a: { partitions: 2 }, 'a:2': {} } })
})
