import { expect, onTestFinished, test, vi } from 'vitest'
import email from '../../plugins/email/index.js'
import { choosePort } from '../../src/broker/embedded/redis-process.js'
import { createClient } from '../../src/client.js'
import { definePlugin, type Role } from '../../src/index.js'
import { startRedis, testPrefix, testRedisServer, testRedisUrl, until } from '../support/redis.js'
import { failureOf } from './project.js'
import { adder, keepingLog, kernelOf, takenPort, testConfig } from './stage.js'

const json = async (url: string, init?: RequestInit) => {
  const answer = await fetch(url, init)
  const body: Record<string, unknown> = JSON.parse(await answer.text())
  return { status: answer.status, body }
}

test('both roles in one process: a task goes in over HTTP and is completed', async () => {
  const kernel = await kernelOf(testConfig())
  const { url, store } = await kernel.start()
  expect(store).toContain('127.0.0.1')
  const posted = await json(`${url}/enqueue/add`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1,"b":2}',
  })
  expect(posted.status).toBe(202)
  const { body } = await json(`${url}/tasks/${posted.body.taskId}?wait=10s`)
  expect(body).toMatchObject({ state: 'completed', result: { sum: 3 } })
  const { body: ready } = await until(async () => {
    const answer = await json(`${url}/ready`)
    return answer.status === 200 && answer
  })
  expect(ready).toEqual({ status: 'ok', checks: { redis: 'ok', workers: 'ok' } })
})

test('after a stop nothing of it runs, and a second stop does no more', async () => {
  const calls: string[] = []
  const kernel = await kernelOf(testConfig({ plugins: [adder(calls)] }))
  const { url } = await kernel.start()
  expect(calls).toEqual(['setup'])
  await until(async () => (await kernel.operator.workers()).length === 1)
  await Promise.all([kernel.stop(), kernel.stop()])
  await kernel.stop()
  expect(calls).toEqual(['setup', 'close'])
  await expect(fetch(`${url}/health`)).rejects.toThrow()
  expect(await failureOf(kernel.client.enqueue('add', { a: 1, b: 2 }))).toMatchObject({
    code: 'closed',
  })
  expect(await failureOf(kernel.start())).toMatchObject({ code: 'closed' })
})

test('a stop gives the leases back', async () => {
  const config = testConfig()
  const watcher = await kernelOf(config)
  const kernel = await kernelOf(config)
  await kernel.start()
  await until(async () => (await watcher.operator.workers()).length === 1)
  await kernel.stop()
  expect(await watcher.operator.workers()).toEqual([])
})

test('a kernel starts once', async () => {
  const kernel = await kernelOf(testConfig({ http: false }))
  await kernel.start()
  expect(await failureOf(kernel.start())).toMatchObject({ code: 'bad_option' })
})

test('a role that does not exist is refused with those that do', async () => {
  const calls: string[] = []
  const kernel = await kernelOf(testConfig({ plugins: [adder(calls)] }))
  const roles = ['producer', 'bogus'] as unknown as Role[]
  const error = await failureOf(kernel.start({ roles }))
  const message = "roles: 'bogus' is no role; there are producer, worker"
  expect(error).toMatchObject({ code: 'bad_option', message })
  expect(calls).toEqual([])
})

test('a stop while it starts leaves nothing behind', async () => {
  const calls: string[] = []
  const kernel = await kernelOf(testConfig({ plugins: [adder(calls)] }))
  const starting = failureOf(kernel.start())
  await kernel.stop()
  expect(await starting).toMatchObject({ code: 'closed' })
  expect(calls).toEqual(['setup', 'close'])
})

test('a plugin whose setup fails stops the boot with its name', async () => {
  const fails = adder([], () => {
    throw new Error('no mail server')
  })
  const kernel = await kernelOf(testConfig({ plugins: [fails] }))
  const error = await failureOf(kernel.start())
  expect(error).toMatchObject({ code: 'plugin_failed', message: "plugin 'adder': no mail server" })
})

test('plugins are set up in every role, so that a producer alone misses nothing either', async () => {
  const calls: string[] = []
  const kernel = await kernelOf(testConfig({ plugins: [adder(calls)] }))
  await kernel.start({ roles: ['producer'] })
  expect(calls).toEqual(['setup'])
  const mails = await kernelOf(testConfig({ plugins: [email({ smtp: '' })] }), {
    env: { NODE_ENV: 'production', SMTP_URL: '' },
  })
  const error = await failureOf(mails.start({ roles: ['producer'] }))
  expect(error).toMatchObject({ code: 'plugin_failed' })
  expect(error.message).toContain("plugin 'email': no SMTP server is set: set SMTP_URL")
})

test('a plugin that never closes holds a stop up for the grace and half a second', async () => {
  const log = keepingLog()
  const stuck = definePlugin({
    name: 'stuck',
    tasks: [],
    close: () => new Promise(() => undefined),
  })
  const config = testConfig({ plugins: [stuck], worker: { shutdownGrace: '100ms' } })
  const kernel = await kernelOf(config, { log })
  await kernel.start()
  const from = performance.now()
  await kernel.stop()
  expect(performance.now() - from).toBeLessThan(1100)
  expect(log.lines.join()).toContain('could not be closed')
})

test('settings of telemetry that change nothing yet are told of', async () => {
  const log = keepingLog()
  const kernel = await kernelOf(testConfig({ telemetry: { traces: false }, http: false }), {
    log,
  })
  await kernel.start()
  expect(log.lines.filter((line) => line.includes('Nothing is exported yet'))).toHaveLength(1)
})

test('a start that fails late undoes what it did', async () => {
  const calls: string[] = []
  const port = await takenPort()
  const config = testConfig({ plugins: [adder(calls)], http: { port } })
  const watcher = await kernelOf({ ...config, http: false })
  const kernel = await kernelOf(config)
  const error = await failureOf(kernel.start())
  expect(error).toMatchObject({ code: 'bad_config' })
  expect(error.message).toContain(`port ${port}: the port is taken`)
  expect(error.message).toContain('http.port from the config')
  expect(calls).toEqual(['setup', 'close'])
  expect(await watcher.operator.workers()).toEqual([])
})

test('a worker whose port is taken by the producer of its machine works without it', async () => {
  const port = await takenPort()
  const log = keepingLog()
  const kernel = await kernelOf(testConfig({ http: { port } }), { log })
  expect(await kernel.start({ roles: ['worker'] })).not.toHaveProperty('url')
  expect(log.lines.join()).toContain('The port is taken')
  const { id } = await kernel.client.enqueue('add', { a: 1, b: 2 })
  expect(await kernel.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
})

test('a worker that came first gives its port to the producer of its project', async () => {
  const port = await choosePort(0)
  const config = testConfig({ http: { port } })
  const worker = await kernelOf(config)
  const { directory } = worker.config
  const { url } = await worker.start({ roles: ['worker'] })
  // A connection that is kept would lead to the worker's server, which goes.
  const queues = () => fetch(`${url}/queues`, { headers: { connection: 'close' } })
  expect((await queues()).status).toBe(404)
  const producer = await kernelOf(config, { directory })
  expect(await producer.start({ roles: ['producer'] })).toMatchObject({ url })
  expect((await queues()).status).toBe(200)
  const { id } = await producer.client.enqueue('add', { a: 1, b: 2 })
  expect(await producer.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
  await worker.stop()
  const stranger = await kernelOf(config)
  const error = await failureOf(stranger.start({ roles: ['producer'] }))
  expect(error.message).toContain('the port is taken')
})

test("in the worker's role the port serves health, readiness and metrics alone", async () => {
  const kernel = await kernelOf(testConfig())
  const { url } = await kernel.start({ roles: ['worker'] })
  for (const path of ['/health', '/metrics'])
    expect((await fetch(`${url}${path}`)).status).toBe(200)
  expect((await fetch(`${url}/queues`)).status).toBe(404)
})

test('the producer alone runs no task, and the client works before any start', async () => {
  const config = testConfig()
  const producer = await kernelOf(config)
  const { id } = await producer.client.enqueue('add', { a: 1, b: 2 })
  await producer.start({ roles: ['producer'] })
  expect(await producer.operator.task(id)).toMatchObject({ state: 'waiting' })
  expect(await producer.operator.workers()).toEqual([])
  const worker = await kernelOf({ ...config, http: false })
  await worker.start({ roles: ['worker'] })
  expect(await producer.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
})

test('only the named queues are worked, and an unknown one is refused', async () => {
  const kernel = await kernelOf(testConfig({ http: false, queues: { images: {}, mails: {} } }))
  await kernel.start({ queues: ['default', 'images'] })
  const queues = await until(async () => {
    const workers = await kernel.operator.workers()
    return workers.length === 2 && workers.map(({ queue }) => queue).sort()
  })
  expect(queues).toEqual(['default', 'images'])
  const other = await kernelOf(testConfig({ http: false }))
  const error = await failureOf(other.start({ queues: ['imges'] }))
  expect(error).toMatchObject({ code: 'unknown_queue' })
})

test('QUEUE_KEY renames the queue of tasks that name none, and default means it', async () => {
  const kernel = await kernelOf(testConfig({ http: false }), { env: { QUEUE_KEY: 'jobs' } })
  await kernel.start()
  const { id, queue } = await kernel.client.enqueue('add', { a: 1, b: 2 })
  expect(queue).toBe('jobs')
  expect(await kernel.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
  expect((await kernel.operator.queue('default')).name).toBe('jobs')
})

test('boot warns of a queue and a type that have left the config, and keeps their tasks', async () => {
  const config = testConfig({ http: false })
  const old = await kernelOf({
    ...config,
    queues: { images: {} },
    tasks: { add: { queue: 'images' } },
  })
  await old.start({ roles: ['producer'] })
  const { id } = await old.client.enqueue('add', { a: 1, b: 2 })
  const log = keepingLog()
  const now = await kernelOf({ ...config, plugins: [] }, { log })
  await now.start()
  expect(log.lines).toContain('A queue that is not in the config holds tasks')
  expect(log.lines).toContain('A task type that is not in the config is known to the store')
  expect(await now.operator.task(id)).toMatchObject({ state: 'waiting', queue: 'images' })
})

test('a kernel boots while Redis is away, is not ready, and goes on once it is back', async () => {
  const gone = await startRedis()
  await gone.stop()
  const kernel = await kernelOf(testConfig({ redis: { url: gone.url, prefix: testPrefix() } }))
  const { url } = await kernel.start()
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect((await json(`${url}/ready`)).status).toBe(503)
  const back = await startRedis([], gone.port)
  onTestFinished(() => back.stop())
  await until(async () => (await fetch(`${url}/ready`)).status === 200)
  const { id } = await kernel.client.enqueue('add', { a: 1, b: 2 })
  expect(await kernel.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
})

test('without Redis and redis-server both roles run on the in-process store, which says so', async () => {
  vi.stubEnv('PATH', '/nonexistent')
  vi.stubEnv('REDISDISTRO_REDIS_SERVER', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  const log = keepingLog()
  const kernel = await kernelOf(testConfig({ redis: {} }), { log })
  const { store } = await kernel.start()
  expect(store).toContain('nothing survives a restart and it serves this process only')
  expect(log.lines).toContain('Tasks are kept in this process: nothing of them survives its end')
  const { id } = await kernel.client.enqueue('add', { a: 1, b: 2 })
  expect(await kernel.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
})

test('without Redis and redis-server one role alone, or a client alone, is refused', async () => {
  vi.stubEnv('PATH', '/nonexistent')
  vi.stubEnv('REDISDISTRO_REDIS_SERVER', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  for (const role of ['producer', 'worker'] as const) {
    const kernel = await kernelOf(testConfig({ redis: {} }))
    const error = await failureOf(kernel.start({ roles: [role] }))
    expect(error).toMatchObject({ code: 'no_store' })
    expect(error.message).toContain('set REDIS_URL')
  }
  const kernel = await kernelOf(testConfig({ redis: {} }))
  const error = await failureOf(kernel.client.enqueue('add', { a: 1, b: 2 }))
  expect(error).toMatchObject({ code: 'no_store' })
})

/** The one that the suite found or fetched, which need not be on the PATH. */
function withRedisServer(): void {
  vi.stubEnv('REDISDISTRO_REDIS_SERVER', testRedisServer())
  onTestFinished(() => void vi.unstubAllEnvs())
}

test('without Redis two kernels of a project share the embedded redis-server', async () => {
  withRedisServer()
  const producer = await kernelOf(testConfig({ redis: {} }))
  const { directory } = producer.config
  const worker = await kernelOf(testConfig({ redis: {}, http: false }), { directory })
  const { store } = await producer.start({ roles: ['producer'] })
  expect(store).toContain(`with its data in ${directory}/.redisdistro`)
  await worker.start({ roles: ['worker'] })
  const { id } = await producer.client.enqueue('add', { a: 1, b: 2 })
  expect(await producer.operator.waitFor(id, 10_000)).toMatchObject({ state: 'completed' })
})

test('in production a missing Redis is a boot error, unless the stand-in is asked for', async () => {
  withRedisServer()
  const env = { NODE_ENV: 'production' }
  const kernel = await kernelOf(testConfig({ redis: {} }), { env })
  const error = await failureOf(kernel.start())
  expect(error).toMatchObject({ code: 'no_store' })
  expect(error.message).toContain('REDIS_URL=embedded')
  const asked = await kernelOf(testConfig({ redis: {} }), {
    env: { ...env, REDIS_URL: 'embedded' },
  })
  expect((await asked.start()).store).toContain('an embedded redis-server')
})

test('the admin port serves health without a token', async () => {
  const port = await choosePort(0)
  const kernel = await kernelOf(
    testConfig({ http: { port: 0, tokens: { api: 'secret' }, admin: { port } } }),
  )
  const { url } = await kernel.start()
  expect((await fetch(`${url}/metrics`)).status).toBe(401)
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200)
  expect((await fetch(`http://127.0.0.1:${port}/queues`)).status).toBe(404)
})

test('a client without the config enqueues by the catalogue, and refuses what it does not know', async () => {
  const config = testConfig({ http: false })
  const kernel = await kernelOf(config)
  await kernel.start()
  const prefix = kernel.config.redis.prefix
  const client = createClient<typeof config>({ redis: { url: testRedisUrl(), prefix } })
  onTestFinished(() => client.close())
  const { id } = await client.enqueue('add', { a: 1, b: 2 })
  expect(await kernel.operator.waitFor(id, 10_000)).toMatchObject({ result: { sum: 3 } })
  expect(await client.task(id)).toMatchObject({ state: 'completed' })
  expect(await failureOf(client.enqueue('add', { a: 'x', b: 2 }))).toMatchObject({
    code: 'bad_payload',
  })
  expect(await failureOf(client.enqueue('sub', {}))).toMatchObject({ code: 'unknown_type' })
})

test('a client that is told of no Redis is refused', () => {
  vi.stubEnv('REDIS_URL', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(() => createClient()).toThrow('no Redis is named')
  expect(() => createClient({ redis: { url: 'http://a' } })).toThrow(
    /createClient\(\) cannot be used:\n {2}redis.url: .*must be a redis:\/\//,
  )
})

test('options of a client that do not exist are named with their value and what there is', () => {
  const bad = { redis: { prefixx: 'mine', commandTimeout: 'soon' }, queue: 'a' }
  const refusal = () => createClient(bad as never)
  expect(refusal).toThrow(/redis.prefixx: "mine" is not known here; allowed: url,.*prefix/)
  expect(refusal).toThrow(/redis.commandTimeout: "soon" is not a duration/)
  expect(refusal).toThrow(/ {2}queue: "a" is not known here; allowed: redis, defaultQueue/)
})
