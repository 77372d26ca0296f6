import { startRedis } from './redis.js'

/** @typedef {import('./redis.js').Redis} Redis */

const nodes = 3
const slots = 16_384

/** The redis-servers of a run besides the main one: started when they are first asked for. */
export class Servers {
  #program
  /** @type {Map<string, Promise<Redis[]>>} */
  #started = new Map()

  /** @param {string} program path of redis-server */
  constructor(program) {
    this.#program = program
  }

  /** One that appends to a file, and syncs it each second. */
  async appending() {
    const [redis] = await this.#once('appending', async () => [
      await startRedis(this.#program, ['--appendonly', 'yes', '--appendfsync', 'everysec']),
    ])
    return /** @type {Redis} */ (redis)
  }

  /** The nodes of a Redis Cluster. */
  cluster() {
    return this.#once('cluster', () => startCluster(this.#program))
  }

  /** Ends all of them. */
  async close() {
    const started = await Promise.allSettled(this.#started.values())
    const servers = started.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    await Promise.all(servers.map((redis) => redis.stop()))
  }

  /**
   * @param {string} name
   * @param {() => Promise<Redis[]>} start
   */
  #once(name, start) {
    const running = this.#started.get(name) ?? start()
    this.#started.set(name, running)
    return running
  }
}

/** @param {string} program */
async function startCluster(program) {
  const starting = Array.from({ length: nodes }, () =>
    startRedis(program, ['--cluster-enabled', 'yes']),
  )
  const servers = await Promise.all(starting)
  const share = Math.ceil(slots / nodes)
  for (const [index, redis] of servers.entries()) {
    const last = Math.min(slots, (index + 1) * share) - 1
    // Numbers that differ from the start spare the nodes to agree on them.
    const introduce = servers.map(({ port }) => `CLUSTER MEET 127.0.0.1 ${port}`)
    await redis.ask(
      `CLUSTER SET-CONFIG-EPOCH ${index + 1}`,
      `CLUSTER ADDSLOTSRANGE ${index * share} ${last}`,
      ...introduce,
    )
  }
  for (const redis of servers) {
    while (!(await isWhole(redis))) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return servers
}

/** @param {Redis} redis */
async function isWhole(redis) {
  const state = await redis.ask('CLUSTER INFO')
  return state.includes('cluster_state:ok') && state.includes(`cluster_known_nodes:${nodes}`)
}
