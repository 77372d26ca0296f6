import { product, rivalNames } from '../rivals/index.js'
import { drainCosts, measureDrain } from './drain.js'
import { costs } from './measure.js'

/** @typedef {import('./measure.js').Measure} Measure */

/** @param {number} processes @returns {Measure} */
const draining = (processes) => ({
  name: `processes-${processes}`,
  says: `drain at concurrency 50 in each of ${processes} worker processes`,
  contenders: [product, 'bullmq'],
  baseline: 'bullmq',
  figures: costs,
  run(bench, rival) {
    return drainCosts(bench, { rival, concurrency: 50, count: bench.sizes.drain, processes })
  },
})

/** Several worker processes on one queue. */
export const processMeasures = [1, 2, 4].map(draining)

/**
 * How evenly two workers share slow tasks: who claims ahead takes them from who is idle.
 * @type {Measure}
 */
export const fairness = {
  name: 'fairness',
  says: 'two worker processes at concurrency 10 with handlers of 20 ms',
  contenders: rivalNames,
  brief: [product, 'bullmq'],
  baseline: 'bullmq',
  figures: [
    { key: 'share', label: 'share of the busier one', less: true },
    { key: 'rate', label: 'tasks/s' },
  ],
  async run(bench, rival) {
    const { slow: count } = bench.sizes
    const order = { rival, concurrency: 10, count, processes: 2, work: 20 }
    const { shares, rate } = await measureDrain(bench, order)
    return { share: Math.max(...shares) / count, rate }
  },
}
