import { openChild } from '../child.js'
import { product } from '../rivals/index.js'
import { drainCosts } from './drain.js'
import { measureEnqueue } from './enqueue.js'
import { costs, costsOf } from './measure.js'

/** @typedef {import('./measure.js').Measure} Measure */
/** @typedef {import('./measure.js').Bench} Bench */

/**
 * What the product's client library does by itself, with no queue around it.
 * @param {Bench} bench
 * @param {{ call: string, count: number }} order
 */
async function measureRaw({ redis, sizes }, { call, count }) {
  await redis.clear()
  const child = await openChild('raw')
  try {
    await child.ask('open', { port: redis.port })
    if (call === 'pop') await child.ask('push', { count: count + sizes.warmup })
    await child.ask(call, { count: sizes.warmup })
    const before = await redis.usage()
    /** @type {{ seconds: number, cpu: number }} */
    const { seconds, cpu } = await child.ask(call, { count })
    const after = await redis.usage()
    return costsOf({ count, seconds, nodeCpu: cpu, before, after })
  } finally {
    await child.end()
  }
}

/**
 * @param {object} about
 * @param {string} about.name
 * @param {string} about.says
 * @param {string} about.limit what the product is held against
 * @param {string} about.call of the raw process
 * @param {(sizes: import('./measure.js').Sizes) => number} about.count
 * @param {(bench: Bench, count: number) => Promise<Record<string, number>>} about.engine
 * @returns {Measure}
 */
const against = ({ name, says, limit, call, count, engine }) => ({
  name,
  says,
  contenders: [product, limit],
  brief: [limit],
  baseline: limit,
  figures: costs,
  run(bench, contender) {
    const many = count(bench.sizes)
    return contender === product ? engine(bench, many) : measureRaw(bench, { call, count: many })
  },
})

/**
 * @param {import('../rivals/rival.js').Manner} manner
 * @param {{ says: string, limit: string, call: string }} about
 */
const againstEnqueue = (manner, about) =>
  against({
    ...about,
    name: `raw-${manner}`,
    count: ({ enqueue, enqueueOne }) => (manner === 'one' ? enqueueOne : enqueue),
    engine: (bench, count) => measureEnqueue(bench, { rival: product, manner, count }),
  })

/** The raw limit, and how far the engine is from it. */
export const rawMeasures = [
  againstEnqueue('one', {
    says: 'the raw limit of one by one: EVALSHA of a trivial script',
    limit: 'EVALSHA',
    call: 'one',
  }),
  againstEnqueue('flight', {
    says: 'the raw limit of 100 in flight: EVALSHA of a trivial script for each',
    limit: 'EVALSHA',
    call: 'flight',
  }),
  againstEnqueue('bulk', {
    says: 'the raw limit of bulk: HSET and ZADD of 250 each',
    limit: 'HSET, ZADD',
    call: 'push',
  }),
  against({
    name: 'raw-drain',
    says: 'the raw limit of draining: ZPOPMIN, HMGET, HDEL of 250 each',
    limit: 'ZPOPMIN, HMGET',
    call: 'pop',
    count: (sizes) => sizes.drain,
    engine: (bench, count) => drainCosts(bench, { rival: product, concurrency: 200, count }),
  }),
]
