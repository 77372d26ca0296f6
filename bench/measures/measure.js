/** @typedef {import('../redis.js').Redis} Redis */

/**
 * How much is done; `--quick` has the small figures.
 * @typedef {object} Sizes
 * @property {number} enqueueOne tasks enqueued one by one
 * @property {number} enqueue tasks enqueued 100 in flight and in bulk
 * @property {number} drain tasks drained
 * @property {number} drainAtOne tasks drained at concurrency 1, where rivals take long
 * @property {number} warmup tasks before each of these, in the same process
 * @property {number} pings for the idle latency
 * @property {number} memory tasks whose bytes are counted
 * @property {number} shallow tasks drained of a queue that may be deep
 * @property {number} backlog how deep that is
 * @property {number} slow tasks with a slow handler
 * @property {number} due tasks that become due one after the other
 */

/**
 * What a measure runs with.
 * @typedef {object} Bench
 * @property {Redis} redis
 * @property {import('../servers.js').Servers} servers others than `redis`
 * @property {Sizes} sizes
 * @property {import('../fillers.js').Fillers} fillers
 * @property {(words: string) => void} tell how far a long step is
 */

/**
 * One figure of a measure.
 * @typedef {object} Figure
 * @property {string} key
 * @property {string} label with its unit
 * @property {boolean} [less] the smaller the better
 */

/**
 * One measure, run once for each contender in each round. Ratios are to the baseline's figure of
 * the same round.
 * @typedef {object} Measure
 * @property {string} name as `--only` takes it
 * @property {string} says
 * @property {readonly string[]} contenders
 * @property {readonly string[]} [brief] contenders of `--quick`, where not all are
 * @property {string} baseline
 * @property {readonly Figure[]} figures
 * @property {(bench: Bench, contender: string) => Promise<Record<string, number>>} run
 */

/** The queue that every measure uses. */
export const queue = 'bench'

/** What moving tasks costs, whichever way they go. */
export const costs = [
  { key: 'rate', label: 'tasks/s' },
  { key: 'redisCpu', label: 'Redis CPU s per 10,000', less: true },
  { key: 'nodeCpu', label: 'Node CPU s per 10,000', less: true },
  { key: 'commands', label: 'Redis commands per task', less: true },
]

/**
 * The figures of `costs`.
 * @param {object} spent
 * @param {number} spent.count
 * @param {number} spent.seconds
 * @param {number} spent.nodeCpu
 * @param {import('../redis.js').Usage} spent.before
 * @param {import('../redis.js').Usage} spent.after
 */
export function costsOf({ count, seconds, nodeCpu, before, after }) {
  return {
    rate: count / seconds,
    redisCpu: ((after.cpu - before.cpu) / count) * 10_000,
    nodeCpu: (nodeCpu / count) * 10_000,
    commands: (after.commands - before.commands) / count,
  }
}
