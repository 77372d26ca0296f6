import { product } from '../rivals/index.js'
import { measureDrain } from './drain.js'
import { measureEnqueue } from './enqueue.js'
import { queue } from './measure.js'

/** @typedef {import('./measure.js').Measure} Measure */
/** @typedef {import('./measure.js').Bench} Bench */
/** @typedef {import('../rivals/rival.js').Place} Place */

const figures = [
  { key: 'enqueueRate', label: 'enqueued/s, bulk' },
  { key: 'enqueueRedisCpu', label: 'Redis CPU s, enqueue', less: true },
  { key: 'enqueueNodeCpu', label: 'Node CPU s, enqueue', less: true },
  { key: 'drainRate', label: 'drained/s, at 50' },
  { key: 'drainRedisCpu', label: 'Redis CPU s, drain', less: true },
  { key: 'drainNodeCpu', label: 'Node CPU s, drain', less: true },
]

/**
 * Enqueues in bulk, then drains at concurrency 50.
 * @param {Bench} bench
 * @param {string} rival
 * @param {Place} place
 */
export async function measureBoth(bench, rival, place) {
  const { enqueue, drain } = bench.sizes
  const into = await measureEnqueue(bench, { rival, manner: 'bulk', count: enqueue, place })
  const out = await measureDrain(bench, { rival, concurrency: 50, count: drain, place })
  return {
    enqueueRate: into.rate,
    enqueueRedisCpu: into.redisCpu,
    enqueueNodeCpu: into.nodeCpu,
    drainRate: out.rate,
    drainRedisCpu: out.redisCpu,
    drainNodeCpu: out.nodeCpu,
  }
}

/** @type {Measure} */
export const appendonly = {
  name: 'appendonly',
  says: 'with an append-only file that is synced each second; CPU per 10,000',
  contenders: [product, 'bullmq'],
  baseline: 'bullmq',
  figures,
  async run(bench, rival) {
    const redis = await bench.servers.appending()
    return measureBoth({ ...bench, redis }, rival, { port: redis.port, queue })
  },
}

/** Share of the traces that is sampled; off is a process without an SDK. */
const sampling = { off: undefined, '1 %': 0.01, always: 1 }

/** @type {Measure} */
export const tracing = {
  name: 'tracing',
  says: 'with tracing off, sampled 1 %, sampled always; CPU per 10,000',
  contenders: Object.keys(sampling),
  baseline: 'off',
  figures,
  run(bench, contender) {
    const sampled = sampling[/** @type {keyof typeof sampling} */ (contender)]
    const place = { port: bench.redis.port, queue, ...(sampled === undefined ? {} : { sampled }) }
    return measureBoth(bench, product, place)
  },
}
