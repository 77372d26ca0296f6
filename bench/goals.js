import { product } from './rivals/index.js'
import { shown } from './table.js'

/** @typedef {import('./measures/measure.js').Measure} Measure */
/** @typedef {import('./results.js').Results} Results */

/**
 * What the product wants of itself: a ratio to a baseline, at least or at most.
 * @typedef {object} Goal
 * @property {string} says
 * @property {string} measure
 * @property {string} figure
 * @property {string} [contender] the product if left out
 * @property {string} [to] another baseline than the measure's; `none` means the figure itself
 * @property {number} [least]
 * @property {number} [most]
 */

/** @type {(measure: string, figure: string, says: string) => (limit: { least?: number, most?: number, to?: string, contender?: string }) => Goal} */
const goal = (measure, figure, says) => (limit) => ({ measure, figure, says, ...limit })

const alone = { contender: '1 process', to: 'none' }

/** @type {readonly Goal[]} */
const goals = [
  goal('enqueue-one', 'rate', 'enqueue one by one')({ least: 1.5 }),
  goal('enqueue-flight', 'rate', 'enqueue, 100 in flight')({ least: 3 }),
  goal('enqueue-bulk', 'rate', 'enqueue in bulk')({ least: 6 }),
  goal('drain-1', 'rate', 'drain at 1')({ least: 8 }),
  goal('drain-10', 'rate', 'drain at 10')({ least: 6 }),
  goal('drain-50', 'rate', 'drain at 50')({ least: 8 }),
  goal('drain-200', 'rate', 'drain at 200')({ least: 7 }),
  goal('drain-1', 'redisCpu', 'Redis CPU of a task drained at 1')({ most: 1 / 8 }),
  goal('drain-10', 'redisCpu', 'Redis CPU of a task drained at 10')({ most: 1 / 8 }),
  goal('drain-50', 'redisCpu', 'Redis CPU of a task drained at 50')({ most: 1 / 12 }),
  goal('drain-200', 'redisCpu', 'Redis CPU of a task drained at 200')({ most: 1 / 12 }),
  goal('drain-50', 'nodeCpu', 'Node CPU of a task drained at 50')({ most: 1 / 6 }),
  goal('enqueue-bulk', 'redisCpu', 'Redis CPU of a task in bulk')({ most: 1 / 5 }),
  goal('enqueue-bulk', 'nodeCpu', 'Node CPU of a task in bulk')({ most: 1 / 6 }),
  goal('drain-50', 'commands', 'Redis commands of a task drained at 50')({ most: 0.15 }),
  goal('memory', 'waiting', 'bytes of a waiting task')({ most: 0.48 }),
  goal('latency', 'p50', 'idle latency p50')({ most: 0.5 }),
  goal('enqueue-flight', 'rate', 'enqueue, 100 in flight')({ least: 1.4, to: 'bee-queue' }),
  goal('enqueue-bulk', 'rate', 'enqueue in bulk')({ least: 2, to: 'bee-queue' }),
  goal('fairness', 'share', 'share of the busier of two workers')({ most: 170 / 300, to: 'none' }),
  goal('backlog', 'rate', 'drain with a million waiting')({ least: 0.95, contender: 'waiting' }),
  goal('precision', 'p50', 'ms that half the due tasks start late')({ most: 50, ...alone }),
  goal('precision', 'p99', 'ms that 99 % of the due tasks start late')({ most: 250, ...alone }),
  goal('backlog', 'rate', 'drain with a million delayed')({ least: 0.95, contender: 'delayed' }),
]

/**
 * @param {Goal} goal
 * @param {readonly Measure[]} measures
 * @param {Results} results
 */
function outcomeOf(goal, measures, results) {
  const measure = measures.find(({ name }) => name === goal.measure)
  if (measure === undefined) return undefined
  const { contender = product, to = measure.baseline } = goal
  const summary = results
    .summaries({ ...measure, baseline: to })
    .find((each) => each.figure === goal.figure && each.contender === contender)
  const reached = to === 'none' ? summary?.value : summary?.ratio
  if (reached === undefined) return undefined
  const { least = 0, most = Number.POSITIVE_INFINITY } = goal
  return { ...goal, to, reached, good: reached.median >= least && reached.median <= most }
}

/**
 * Each goal that was measured, and whether the median of its ratios is good.
 * @param {readonly Measure[]} measures
 * @param {Results} results
 */
export function reachedGoals(measures, results) {
  return goals.flatMap((each) => outcomeOf(each, measures, results) ?? [])
}

/** @param {ReturnType<typeof reachedGoals>} outcomes */
export function goalTable(outcomes) {
  const rows = outcomes.map(({ says, to, least, most, reached, good }) => {
    const limit = least === undefined ? `at most ${shown(most ?? 0)}` : `at least ${shown(least)}`
    const spread = `${shown(reached.median)} (${shown(reached.least)}–${shown(reached.most)})`
    const about = to === 'none' ? says : `${says}, to ${to}`
    return `${about.padEnd(54)}${limit.padEnd(16)}${spread.padEnd(26)}${good ? 'yes' : 'NO'}`
  })
  return ['Goals: ratios, what they should be, and what they are', ...rows].join('\n')
}
