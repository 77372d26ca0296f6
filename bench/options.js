import { parseArgs } from 'node:util'
import { measures } from './measures/index.js'
import { product, rivalNames } from './rivals/index.js'

/** @typedef {import('./measures/measure.js').Measure} Measure */

/**
 * @typedef {object} Options
 * @property {boolean} json
 * @property {boolean} quick
 * @property {number} rounds
 * @property {readonly Measure[]} measures
 * @property {import('./measures/measure.js').Sizes} sizes
 */

/**
 * As many that the fastest is at it for half a second: less would measure the compiler and the clock.
 * @type {import('./measures/measure.js').Sizes}
 */
const whole = {
  enqueueOne: 10_000,
  enqueue: 100_000,
  drain: 60_000,
  drainAtOne: 20_000,
  warmup: 10_000,
  pings: 300,
  memory: 50_000,
  shallow: 10_000,
  backlog: 1_000_000,
  slow: 300,
  due: 500,
}

/** @type {import('./measures/measure.js').Sizes} */
const small = {
  enqueueOne: 200,
  enqueue: 1000,
  drain: 500,
  drainAtOne: 500,
  warmup: 0,
  pings: 10,
  memory: 1000,
  shallow: 500,
  backlog: 2000,
  slow: 60,
  due: 20,
}

const usualRounds = 5

/** How it is called, as `--help` prints it. */
export const help = () =>
  [
    'npm run bench -- [options]',
    '',
    '  --only a,b     these measures alone, by name; enqueue, drain, processes, raw mean several',
    `  --rounds N     rounds, each with all rivals in turn; ${usualRounds}`,
    '  --rivals a,b   beside the product these alone, where rivals are compared',
    '  --quick        one small round: shows that everything runs, and measures nothing',
    '  --json         figures of every round to stdout, as JSON',
    '  --help         this',
    '',
    `Rivals: ${rivalNames.filter((name) => name !== product).join(', ')}`,
    'Measures:',
    ...measures.map(({ name, says }) => `  ${name.padEnd(18)} ${says}`),
  ].join('\n')

/**
 * Reads the command line; throws with what is wrong.
 * @param {string[]} args
 * @returns {Options | 'help'}
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      rivals: { type: 'string' },
    },
  })
  if (values.help) return 'help'
  const rounds = Number(values.rounds ?? (values.quick ? 1 : usualRounds))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1')
  return {
    json: values.json,
    quick: values.quick,
    rounds,
    measures: chosen(values.only).map(contended({ quick: values.quick, rivals: values.rivals })),
    sizes: values.quick ? small : whole,
  }
}

/** @param {string | undefined} only */
function chosen(only) {
  if (only === undefined) return measures
  const names = only.split(',').map((name) => name.trim())
  // `drain` means all of drain-1 to drain-200, and `drain-1` not drain-10.
  const of = (/** @type {string} */ wanted) =>
    measures.filter(({ name }) => name === wanted || name.startsWith(`${wanted}-`))
  const unknown = names.find((name) => of(name).length === 0)
  if (unknown !== undefined) throw new Error(`no measure is called '${unknown}'; see --help`)
  const meant = new Set(names.flatMap(of))
  return measures.filter((measure) => meant.has(measure))
}

/**
 * The same measure with the contenders that take part.
 * @param {{ quick: boolean, rivals: string | undefined }} limits
 * @returns {(measure: Measure) => Measure}
 */
function contended({ quick, rivals }) {
  const named = rivals?.split(',').map((name) => name.trim())
  const unknown = named?.find((name) => !rivalNames.includes(name))
  if (unknown !== undefined) throw new Error(`no rival is called '${unknown}'; see --help`)
  return (measure) => {
    const all = quick ? (measure.brief ?? measure.contenders) : measure.contenders
    const takesPart = (/** @type {string} */ name) =>
      name === product || !rivalNames.includes(name) || (named?.includes(name) ?? true)
    return { ...measure, contenders: all.filter(takesPart) }
  }
}
