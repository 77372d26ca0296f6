// `node bench/million.js`: a store with a million tasks in all states, and how long each look at it
// takes: every list with and without filters, every explainer, counts and previews. Says too which
// commands Redis was busy with for more than 5 ms. `--tasks N` takes another number.
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { createRedisBroker } from '../dist/src/broker/redis-broker.js'
import { createKernel, defineConfig, definePlugin, defineTask } from '../dist/src/index.js'
import { findOrFetch } from '../scripts/redis-server.mjs'
import { startRedis } from './redis.js'

const { values } = parseArgs({ options: { tasks: { type: 'string', default: '1000000' } } })
const all = Number(values.tasks)
const partition = { queue: 'default', index: 0, of: 1 }
const worker = 'million'
const hour = 3_600_000
const keep = { age: 365 * 24 * hour, count: all }
const silent = { info: () => undefined, warn: () => undefined }

/** Shares of the whole; the rest waits. */
const shares = { scheduled: 0.3, dead: 0.15, completed: 0.15, cancelled: 0.02, retryable: 0.01 }
const types = ['mail', 'image', 'report', 'sync', 'bill']

const say = (/** @type {string} */ words) => process.stderr.write(`million: ${words}\n`)

/** @param {string} type */
const definition = (type) =>
  defineTask({
    type,
    payload: z.object({ to: z.string(), n: z.number(), body: z.string() }),
    deadLetter: `dead:${type}`,
    handle: () => 'done',
  })

/** @param {import('./redis.js').Redis} redis */
function kernelOf({ port }) {
  const config = defineConfig({
    // Filling is no test of deadlines.
    redis: { url: `redis://127.0.0.1:${port}`, commandTimeout: '1m' },
    plugins: [definePlugin({ name: 'million', tasks: types.map(definition) })],
    defaults: { retention: { completed: keep, dead: keep, cancelled: keep } },
    http: { port: 0 },
  })
  return createKernel(config, { env: { LOG_LEVEL: 'error' } })
}

/** @typedef {Awaited<ReturnType<typeof kernelOf>>} Kernel */
/** @typedef {ReturnType<typeof createRedisBroker>} Broker */

/**
 * Enqueues so many, of every type in turn.
 * @param {Kernel} kernel
 * @param {number} count
 * @param {Record<string, unknown>} [options]
 * @returns {Promise<string[]>} ids
 */
async function enqueue({ client }, count, options) {
  const ids = []
  const chunk = 2000
  for (let at = 0; at < count; at += chunk) {
    const type = types[(at / chunk) % types.length] ?? 'mail'
    const size = Math.min(chunk, count - at)
    const payloads = Array.from({ length: size }, (_, n) => ({
      to: `user${at + n}@example.com`,
      n: at + n,
      body: 'x'.repeat(120),
    }))
    for (const { id } of await client.enqueueMany(type, payloads, options)) ids.push(id)
  }
  return ids
}

/**
 * Leases so many and settles each with what `outcomeOf` says.
 * @param {Broker} broker
 * @param {number} count
 * @param {(n: number) => import('../dist/src/core/broker.js').SettledOutcome} outcomeOf
 */
async function settle(broker, count, outcomeOf) {
  for (let done = 0; done < count; ) {
    const call = { worker, settled: [], promote: false, retention: keep }
    const reply = await broker.cycle(partition, { ...call, wanted: Math.min(1000, count - done) })
    if (reply.lost) throw new Error('the lease was lost')
    const settled = reply.leased.map((task, index) => ({
      task,
      startedAt: reply.now,
      endedAt: reply.now,
      progressed: false,
      outcome: outcomeOf(done + index),
    }))
    await broker.cycle(partition, { ...call, settled, wanted: 0 })
    done += settled.length
  }
}

/** @param {Kernel} kernel @param {Broker} broker */
async function fill(kernel, broker) {
  const about = { host: 'bench', pid: process.pid, concurrency: 1, startedAt: Date.now() }
  await broker.join(partition, worker, hour, about)
  const part = (/** @type {keyof typeof shares} */ state) => Math.round(all * shares[state])
  const errors = ['mailbox full', 'no route to host', 'timed out']
  const failed = (/** @type {number} */ n) => ({
    name: 'Error',
    message: errors[n % errors.length] ?? '',
    code: 'failed',
  })
  await enqueue(kernel, part('dead'))
  await settle(broker, part('dead'), (n) => ({ name: 'bury', error: failed(n) }))
  await enqueue(kernel, part('retryable'))
  await settle(broker, part('retryable'), (n) => ({ name: 'retry', after: hour, error: failed(n) }))
  await enqueue(kernel, part('completed'))
  await settle(broker, part('completed'), (n) => ({ name: 'complete', result: n }))
  const cancelled = await enqueue(kernel, part('cancelled'))
  for (let at = 0; at < cancelled.length; at += 200) {
    await broker.cancel(partition, cancelled.slice(at, at + 200))
  }
  await enqueue(kernel, part('scheduled'), { delay: '5h' })
  const rest = Object.values(shares).reduce((left, share) => left - share, 1)
  await enqueue(kernel, Math.round(all * rest))
  await kernel.client.enqueue('mail', { to: 'x', n: 1, body: '' }, { tags: ['rare'] })
}

/**
 * Calls an address so often. Times in ms: the median and the slowest, and the CPU of a call in Redis
 * and in this process, which serves and asks. A busy machine makes the first two longer, not these.
 * @param {import('./redis.js').Redis} redis
 * @param {string} url
 * @param {number} times
 */
async function timed(redis, url, times = 9) {
  const took = []
  let shown = ''
  const before = await redis.usage()
  const own = process.cpuUsage()
  for (let n = 0; n < times; n++) {
    const start = performance.now()
    const reply = await fetch(url)
    const text = await reply.text()
    took.push(performance.now() - start)
    if (!reply.ok) throw new Error(`${url}: ${text}`)
    const items = text.startsWith('{') ? JSON.parse(text).items : undefined
    shown = Array.isArray(items) ? `${items.length} items` : `${text.length} bytes`
  }
  const { user, system } = process.cpuUsage(own)
  const cpu = (await redis.usage()).cpu - before.cpu
  took.sort((a, b) => a - b)
  const figures = [
    took[Math.floor(times / 2)] ?? 0,
    took.at(-1) ?? 0,
    (cpu * 1000) / times,
    (user + system) / 1000 / times,
  ]
  return { figures, shown }
}

const heads = ['median', 'slowest', 'Redis CPU', 'Node CPU']

/**
 * @param {import('./redis.js').Redis} redis
 * @param {string} url
 * @param {Record<string, string>} ids
 */
async function measure(redis, url, ids) {
  const dead = '/dead-letters/dead%3Amail'
  const { cursor } = /** @type {{ cursor: string }} */ (
    await (await fetch(`${url}/tasks?state=waiting&limit=1000`)).json()
  )
  const states = ['scheduled', 'waiting', 'active', 'retryable', 'completed', 'dead', 'cancelled']
  const paths = [
    '/tasks',
    '/tasks?limit=1000',
    ...states.map((state) => `/tasks?state=${state}`),
    '/tasks?state=dead&limit=1000',
    `/tasks?state=waiting&limit=1000&cursor=${cursor}`,
    '/tasks?type=bill',
    '/tasks?type=nothing',
    '/tasks?tag=rare',
    '/tasks?state=scheduled&type=nothing',
    '/tasks?queue=default&state=waiting&type=bill&limit=1000',
    '/dead-letters',
    dead,
    `${dead}?limit=1000`,
    `${dead}?error=nothing`,
    `${dead}?olderThan=1s&limit=100`,
    `${dead}?newerThan=1s`,
    '/queues',
    '/queues/default',
    '/stats',
    '/workers',
    '/jobs',
    '/metrics',
    ...Object.entries(ids).map(([state, id]) => `/tasks/${id}#${state}`),
  ]
  console.log(`${'ms'.padEnd(58)}${heads.map((head) => head.padStart(10)).join('')}`)
  for (const path of paths) {
    const { figures, shown } = await timed(redis, url + path)
    const name = path
      .replace(/^\/tasks\/[^#]+#/, 'a task that is ')
      .slice(0, 56)
      .padEnd(58)
    const columns = figures.map((ms) => ms.toFixed(1).padStart(10)).join('')
    console.log(`${name}${columns}  ${shown}`)
  }
}

/** @param {string} url */
async function previews(url) {
  for (const query of ['', '&olderThan=1s', '&error=full']) {
    const start = performance.now()
    const path = `/dead-letters/dead%3Amail?dryRun=true${query}`
    const reply = await fetch(url + path, { method: 'DELETE' })
    const { wouldPurge } = /** @type {{ wouldPurge: number }} */ (await reply.json())
    const ms = (performance.now() - start).toFixed(1)
    console.log(`${`DELETE ${path}`.padEnd(66)}${ms.padStart(8)} ms  ${wouldPurge} meant`)
  }
}

/** @param {string} url */
async function someIds(url) {
  /** @type {Record<string, string>} */
  const ids = {}
  for (const state of ['scheduled', 'waiting', 'retryable', 'completed', 'dead', 'cancelled']) {
    const reply = await fetch(`${url}/tasks?state=${state}&limit=100`)
    const { items } = /** @type {{ items: { id: string }[] }} */ (await reply.json())
    const id = items.at(-1)?.id
    if (id !== undefined) ids[state] = id
  }
  return ids
}

async function main() {
  const redis = await startRedis(await findOrFetch())
  await redis.ask('CONFIG SET slowlog-log-slower-than 5000', 'CONFIG SET slowlog-max-len 1000')
  const connection = { url: `redis://127.0.0.1:${redis.port}` }
  const settings = { prefix: 'rd', commandTimeout: 60_000, allowEviction: false, log: silent }
  const broker = createRedisBroker({ connection, ...settings })
  const kernel = await kernelOf(redis)
  try {
    await broker.open()
    const start = performance.now()
    await fill(kernel, broker)
    say(`${all} tasks written in ${((performance.now() - start) / 1000).toFixed(1)} s`)
    const { url = '' } = await kernel.start({ roles: ['producer'] })
    await measure(redis, url, await someIds(url)) // warms up, and is told once
    await redis.ask('SLOWLOG RESET')
    console.log('\nagain, warm:')
    await measure(redis, url, await someIds(url))
    await previews(url)
    const pruned = performance.now()
    await broker.prune(partition, { completed: keep, dead: keep, cancelled: keep })
    console.log(
      `${'a round of pruning'.padEnd(66)}${(performance.now() - pruned).toFixed(1).padStart(8)} ms`,
    )
    const slow = await redis.ask('SLOWLOG LEN', 'SLOWLOG GET 10')
    console.log(`\ncommands of more than 5 ms in Redis: ${/:(\d+)/.exec(slow)?.[1]}`)
    for (const [, micros] of slow.matchAll(/^\*6\r\n:\d+\r\n:\d+\r\n:(\d+)/gm)) {
      console.log(`  ${(Number(micros) / 1000).toFixed(1)} ms`)
    }
  } finally {
    await kernel.stop()
    await broker.close()
    await redis.stop()
  }
}

await main()
