import { product } from '../rivals/index.js'
import { drainCosts } from './drain.js'
import { costs } from './measure.js'

const concurrency = 50

/** What waits in the queue, or is not due yet, while the first tasks are drained. */
const depths = {
  shallow: () => ({}),
  waiting: (/** @type {number} */ many) => ({ waiting: many }),
  delayed: (/** @type {number} */ many) => ({ delayed: many }),
}

/**
 * Whether a deep queue is slower than a shallow one.
 * @type {import('./measure.js').Measure}
 */
export const backlog = {
  name: 'backlog',
  says: 'drain 10 thousand: with no more in the queue, of a million waiting, beside a million delayed',
  contenders: Object.keys(depths),
  baseline: 'shallow',
  figures: costs,
  run(bench, depth) {
    const { shallow: count, backlog: many } = bench.sizes
    const behind = depths[/** @type {keyof typeof depths} */ (depth)](many)
    return drainCosts(bench, { rival: product, concurrency, count, ...behind })
  },
}
