import { openChild } from '../child.js'
import { product, rivalNames } from '../rivals/index.js'
import { costs, costsOf, queue } from './measure.js'

/** @typedef {import('./measure.js').Measure} Measure */
/** @typedef {import('./measure.js').Bench} Bench */
/** @typedef {import('../rivals/rival.js').Manner} Manner */
/** @typedef {import('../rivals/rival.js').Place} Place */

/**
 * Enqueues in a fresh process, after a warm-up of its own queue.
 * @param {Bench} bench
 * @param {{ rival: string, manner: Manner, count: number, place?: Place }} order
 */
export async function measureEnqueue({ redis, sizes }, order) {
  const { rival, manner, count, place = { port: redis.port, queue } } = order
  await redis.clear()
  const producer = await openChild('producer')
  try {
    await producer.ask('open', { rival, place, manner, warmup: sizes.warmup })
    const before = await redis.usage()
    /** @type {{ seconds: number, cpu: number }} */
    const { seconds, cpu } = await producer.ask('enqueue', { manner, count })
    const after = await redis.usage()
    await producer.ask('close')
    return costsOf({ count, seconds, nodeCpu: cpu, before, after })
  } finally {
    await producer.end()
  }
}

/** @type {(name: string, manner: Manner, says: string) => Measure} */
const enqueueing = (name, manner, says) => ({
  name,
  says,
  contenders: rivalNames,
  ...(manner === 'bulk' ? {} : { brief: [product, 'bullmq'] }),
  baseline: 'bullmq',
  figures: costs,
  run(bench, rival) {
    const { enqueue, enqueueOne } = bench.sizes
    return measureEnqueue(bench, { rival, manner, count: manner === 'one' ? enqueueOne : enqueue })
  },
})

/** Enqueuing in each manner. */
export const enqueueMeasures = [
  enqueueing('enqueue-one', 'one', 'enqueue one by one, each awaited'),
  enqueueing('enqueue-flight', 'flight', 'enqueue with 100 calls in flight'),
  enqueueing('enqueue-bulk', 'bulk', 'enqueue in bulk, 1,000 a call'),
]
