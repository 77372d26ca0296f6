import { setTimeout as sleep } from 'node:timers/promises'
import { openChild } from '../child.js'
import { product } from '../rivals/index.js'
import { median, quantile } from '../statistics.js'
import { untilHandled } from './drain.js'
import { queue } from './measure.js'

/** @typedef {import('../child.js').Child} Child */
/** @typedef {import('./measure.js').Bench} Bench */

/** Worker processes on the queue. */
const processes = { '1 process': 1, '2 processes': 2 }
/** ms from now that the many are due: 30 days. */
const farOff = 30 * 86_400_000
/** From one due task to the next, in ms. */
const apart = 60
/** How many parts the many are written in, each followed by a word. */
const parts = 10
/** What asking for Redis's usage adds between two answers. */
const ownCommands = 3

/**
 * Writes the many that are not due for long.
 * @param {Bench} bench
 * @param {Child} producer
 */
async function fill({ sizes, tell }, producer) {
  const count = Math.ceil(sizes.backlog / parts)
  const due = Date.now() + farOff
  for (let part = 1; part <= parts; part++) {
    await producer.ask('fill', { count, due })
    tell(`${(part * count).toLocaleString('en')} tasks scheduled`)
  }
}

/**
 * Redis's commands a second while nothing is due.
 * @param {Bench} bench
 */
async function idleCommands({ redis, sizes }) {
  await sleep(1000)
  const before = await redis.usage()
  const began = performance.now()
  await sleep(Math.max(1000, sizes.due * 10))
  const after = await redis.usage()
  const seconds = (performance.now() - began) / 1000
  return (after.commands - before.commands - ownCommands) / seconds
}

/**
 * How late tasks start that become due one after the other, in seconds.
 * @param {Bench} bench
 * @param {Child} producer
 * @param {Child[]} consumers
 */
async function lateness({ sizes, tell }, producer, consumers) {
  const { due: count } = sizes
  // Long enough for all to be written before the first is due.
  const lead = 500 + count * 5
  const over = count * apart
  tell(`${count} tasks become due within ${Math.round(over / 1000)} s`)
  await producer.ask('schedule', { count, lead, over })
  await sleep(over + lead)
  await untilHandled(consumers, count)
  const asked = consumers.map((each) => /** @type {Promise<number[]>} */ (each.ask('latencies')))
  return (await Promise.all(asked)).flat()
}

/**
 * From the time that a task is due at to the first line of its handler, while many more are scheduled.
 * @type {import('./measure.js').Measure}
 */
export const precision = {
  name: 'precision',
  says: 'how late a due task starts, beside a million that are due in 30 days',
  contenders: Object.keys(processes),
  brief: ['2 processes'],
  baseline: '1 process',
  figures: [
    { key: 'p50', label: 'p50 ms', less: true },
    { key: 'p99', label: 'p99 ms', less: true },
    { key: 'most', label: 'most ms', less: true },
    { key: 'idle', label: 'idle Redis commands/s', less: true },
  ],
  async run(bench, contender) {
    const { redis, sizes } = bench
    await redis.clear()
    const order = { rival: product, place: { port: redis.port, queue }, warmup: sizes.warmup }
    const producer = await openChild('producer')
    const amount = processes[/** @type {keyof typeof processes} */ (contender)]
    const consumers = await Promise.all(Array.from({ length: amount }, () => openChild('consumer')))
    try {
      for (const each of consumers)
        await each.ask('open', { ...order, concurrency: 10, timed: true })
      await producer.ask('open', { ...order, manner: 'bulk' })
      await fill(bench, producer)
      await Promise.all(consumers.map((each) => each.ask('go')))
      const idle = await idleCommands(bench)
      const late = (await lateness(bench, producer, consumers)).map((seconds) => seconds * 1000)
      await Promise.all([producer, ...consumers].map((each) => each.ask('close')))
      return { p50: median(late), p99: quantile(late, 0.99), most: Math.max(...late), idle }
    } finally {
      await Promise.all([producer, ...consumers].map((each) => each.end()))
    }
  },
}
