import { openChild } from '../child.js'
import { rivalNames } from '../rivals/index.js'
import { median, quantile } from '../statistics.js'
import { queue } from './measure.js'

/** Between two tasks, in ms: long enough for the worker to wait again. */
const pause = 10
/** The first ones, which meet code that was not compiled yet, do not count. */
const firstOnes = 0.1

/**
 * From the call of enqueue to the handler's first line, in two processes, while nothing else waits.
 * @type {import('./measure.js').Measure}
 */
export const latency = {
  name: 'latency',
  says: 'idle latency, from the call of enqueue to the first line of the handler',
  contenders: rivalNames,
  baseline: 'bullmq',
  figures: [
    { key: 'p50', label: 'p50 ms', less: true },
    { key: 'p99', label: 'p99 ms', less: true },
  ],
  async run({ redis, sizes }, rival) {
    await redis.clear()
    const place = { port: redis.port, queue }
    const [producer, consumer] = await Promise.all([openChild('producer'), openChild('consumer')])
    try {
      await producer.ask('open', { rival, place, manner: 'one', warmup: 0 })
      await consumer.ask('open', { rival, place, concurrency: 10, warmup: 0, timed: true })
      await consumer.ask('go')
      await producer.ask('ping', { count: sizes.pings, pause })
      await consumer.ask('settle')
      /** @type {number[]} */
      const seconds = await consumer.ask('latencies')
      const warm = seconds.slice(Math.floor(seconds.length * firstOnes)).map((each) => each * 1000)
      await Promise.all([producer.ask('close'), consumer.ask('close')])
      return { p50: median(warm), p99: quantile(warm, 0.99) }
    } finally {
      await Promise.all([producer.end(), consumer.end()])
    }
  },
}
