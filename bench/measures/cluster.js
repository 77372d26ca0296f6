import { product } from '../rivals/index.js'
import { queue } from './measure.js'
import { measureBoth } from './settings.js'

/** @typedef {import('../redis.js').Redis} Redis */

const partitions = { '1 partition': 1, '6 partitions': 6 }

/**
 * The nodes of a cluster as one server: what they use in all.
 * @param {readonly Redis[]} nodes at least one
 * @returns {Redis}
 */
function together(nodes) {
  const [first] = /** @type {readonly [Redis]} */ (nodes)
  return {
    ...first,
    async usage() {
      const each = await Promise.all(nodes.map((node) => node.usage()))
      const sum = (/** @type {keyof import('../redis.js').Usage} */ key) =>
        each.reduce((total, usage) => total + usage[key], 0)
      return { cpu: sum('cpu'), commands: sum('commands'), memory: sum('memory') }
    },
    clear: () => Promise.all(nodes.map((node) => node.clear())),
  }
}

/**
 * One machine cannot show the rate of several; the share of each node in the work it can.
 * @type {import('./measure.js').Measure}
 */
export const cluster = {
  name: 'cluster',
  says: 'a Redis Cluster of 3 nodes on this machine; CPU per 10,000 over all nodes',
  contenders: Object.keys(partitions),
  baseline: '1 partition',
  figures: [
    { key: 'busiest', label: 'CPU share, busiest node', less: true },
    { key: 'idlest', label: 'CPU share, idlest node' },
    { key: 'enqueueRate', label: 'enqueued/s, bulk' },
    { key: 'enqueueRedisCpu', label: 'Redis CPU s, enqueue', less: true },
    { key: 'drainRate', label: 'drained/s, at 50' },
    { key: 'drainRedisCpu', label: 'Redis CPU s, drain', less: true },
  ],
  async run(bench, contender) {
    const nodes = await bench.servers.cluster()
    const redis = together(nodes)
    const place = {
      port: redis.port,
      queue,
      nodes: nodes.map(({ port }) => port),
      partitions: partitions[/** @type {keyof typeof partitions} */ (contender)],
    }
    const used = () => Promise.all(nodes.map(async (node) => (await node.usage()).cpu))
    const before = await used()
    const figures = await measureBoth({ ...bench, redis }, product, place)
    const spent = (await used()).map((cpu, index) => cpu - (before[index] ?? 0))
    const all = spent.reduce((sum, cpu) => sum + cpu, 0)
    return { ...figures, busiest: Math.max(...spent) / all, idlest: Math.min(...spent) / all }
  },
}
