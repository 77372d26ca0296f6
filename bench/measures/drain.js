import { setTimeout as sleep } from 'node:timers/promises'
import { openChild } from '../child.js'
import { product, rivalNames } from '../rivals/index.js'
import { costs, costsOf, queue } from './measure.js'

/** @typedef {import('./measure.js').Measure} Measure */
/** @typedef {import('./measure.js').Bench} Bench */
/** @typedef {import('../rivals/rival.js').Place} Place */
/** @typedef {import('../child.js').Child} Child */
/** @typedef {{ handled: number, lastAt: number, openedAt: number }} Count */

/**
 * What is to be drained, by whom.
 * @typedef {object} Order
 * @property {string} rival
 * @property {number} concurrency
 * @property {number} count tasks, or the first so many where more wait
 * @property {number} [waiting] tasks in the queue; `count` if left out
 * @property {number} [delayed] tasks in the queue that are not due
 * @property {number} [processes]
 * @property {number} [work] ms that each handler waits
 * @property {Place} [place]
 */

/**
 * Drains a queue that was filled before, and gives its costs and how the tasks were shared.
 * @param {Bench} bench
 * @param {Order} order
 */
export async function measureDrain({ redis, sizes, fillers }, order) {
  const { rival, concurrency, count, waiting = count, delayed = 0, processes = 1, work = 0 } = order
  const abreast = concurrency * processes
  const place = { ...(order.place ?? { port: redis.port, queue }), abreast }
  await redis.clear()
  const consumers = await Promise.all(
    Array.from({ length: processes }, () => openChild('consumer')),
  )
  try {
    for (const each of consumers) {
      await each.ask('open', { rival, place, concurrency, warmup: sizes.warmup, work })
    }
    await fillers.fill(rival, place, { count: waiting, later: delayed })
    const before = await redis.usage()
    await Promise.all(consumers.map((each) => each.ask('go')))
    const counts = await untilHandled(consumers, count)
    if (waiting === count) await consumers[0]?.ask('settle')
    const cpus = await Promise.all(
      consumers.map((each) => /** @type {Promise<number>} */ (each.ask('cpu'))),
    )
    const after = await redis.usage()
    const handled = counts.reduce((sum, each) => sum + each.handled, 0)
    const seconds =
      Math.max(...counts.map((each) => each.lastAt)) -
      Math.min(...counts.map((each) => each.openedAt))
    const nodeCpu = cpus.reduce((sum, each) => sum + each, 0)
    const shares = counts.map((each) => each.handled)
    await Promise.all(consumers.map((each) => each.ask('close')))
    return { ...costsOf({ count: handled, seconds, nodeCpu, before, after }), shares }
  } finally {
    await Promise.all(consumers.map((each) => each.end()))
  }
}

/**
 * The same, but for how the tasks were shared.
 * @param {Bench} bench
 * @param {Order} order
 */
export async function drainCosts(bench, order) {
  const { shares: _, ...figures } = await measureDrain(bench, order)
  return figures
}

/** How long nothing may be handled, in ms, before tasks count as lost. */
const patience = 30_000

/**
 * Looks every few ms until so many tasks were handled in all.
 * @param {Child[]} consumers
 * @param {number} count
 * @returns {Promise<Count[]>}
 */
export async function untilHandled(consumers, count) {
  let before = 0
  let since = performance.now()
  for (;;) {
    /** @type {Count[]} */
    const counts = await Promise.all(consumers.map((each) => each.ask('count')))
    const handled = counts.reduce((sum, each) => sum + each.handled, 0)
    if (handled >= count) return counts
    if (handled > before) since = performance.now()
    else if (performance.now() - since > patience) {
      throw new Error(`${handled} of ${count} tasks were handled, and then none for 30 s`)
    }
    before = handled
    await sleep(10)
  }
}

/** @param {number} concurrency @returns {Measure} */
const draining = (concurrency) => ({
  name: `drain-${concurrency}`,
  says: `drain a full queue at concurrency ${concurrency}`,
  contenders: rivalNames,
  ...(concurrency === 10 ? {} : { brief: [product, 'bullmq'] }),
  baseline: 'bullmq',
  figures: costs,
  run(bench, rival) {
    const count = concurrency === 1 ? bench.sizes.drainAtOne : bench.sizes.drain
    return drainCosts(bench, { rival, concurrency, count })
  },
})

/** Draining at each concurrency. */
export const drainMeasures = [1, 10, 50, 200].map(draining)
