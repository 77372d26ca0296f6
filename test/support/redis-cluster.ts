import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { startRedisProcess, type TestRedis } from './redis-process.js'
import { until } from './until.js'

export interface TestCluster {
  /** The masters first, then as many replicas, in the same order. */
  readonly nodes: readonly TestRedis[]
  /** As `redis.cluster` takes it. */
  readonly settings: { nodes: { host: string; port: number }[] }
  /** Which of `nodes` serves a key's slot now, by what the others say. */
  masterOf(key: string): Promise<TestRedis>
  /**
   * Hands a slot to another master, keys and all, while clients go on. `midway` is waited for when
   * all have gone but those whose names end in one of `last`.
   */
  moveSlotOf(key: string, to: TestRedis, pause?: SlotPause): Promise<void>
  stop(): Promise<void>
}

export interface SlotPause {
  readonly last: readonly string[]
  midway(): Promise<unknown>
}

export interface TestClusterOptions {
  /** Whether each master has a replica. */
  readonly replicas?: boolean
  /** The port under which clients shall reach the first master. */
  readonly announced?: number
  /** Further options of each redis-server. */
  readonly args?: readonly string[]
}

const host = '127.0.0.1'
const masters = 3

/** A port whose cluster bus, 10000 above it, is free too. */
async function choosePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 10_000)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })

async function startNode(program: string, more: readonly string[]): Promise<TestRedis> {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000']
  const args = [...cluster, '--repl-diskless-sync-delay', '0', ...more]
  for (let tries = 1; ; tries++) {
    try {
      return await startRedisProcess({ program, args, port: await choosePort() })
    } catch (error) {
      if (tries === 5) throw error
    }
  }
}

async function tell<Answer>(node: TestRedis, ...command: (string | number)[]): Promise<Answer> {
  const redis = new Redis(node.url, { retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    const [name = '', ...args] = command
    return (await redis.call(`${name}`, ...args)) as Answer
  } finally {
    redis.disconnect()
  }
}

const idOf = (node: TestRedis) => tell<string>(node, 'CLUSTER', 'MYID')

async function join(nodes: readonly TestRedis[]): Promise<void> {
  const [first] = nodes
  for (const [i, node] of nodes.entries()) {
    await tell(node, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    if (i < masters) {
      const low = Math.ceil((i * 16_384) / masters)
      const high = Math.ceil(((i + 1) * 16_384) / masters)
      const slots = Array.from({ length: high - low }, (_, n) => low + n)
      await tell(node, 'CLUSTER', 'ADDSLOTS', ...slots)
    }
    if (first && i > 0) await tell(node, 'CLUSTER', 'MEET', host, first.port)
  }
  const allKnown = async (node: TestRedis) =>
    (await tell<string>(node, 'CLUSTER', 'INFO')).includes(`cluster_known_nodes:${nodes.length}\r`)
  for (const node of nodes) await until(() => allKnown(node), { describe: 'the nodes to meet' })
  for (const [i, replica] of nodes.slice(masters).entries()) {
    const master = nodes[i]
    if (master) await tell(replica, 'CLUSTER', 'REPLICATE', await idOf(master))
  }
  const ready = async (node: TestRedis, i: number) =>
    (await tell<string>(node, 'CLUSTER', 'INFO')).includes('cluster_state:ok') &&
    (i < masters || (await tell<string>(node, 'INFO', 'replication')).includes('link_status:up'))
  for (const [i, node] of nodes.entries()) {
    await until(() => ready(node, i), { describe: 'the cluster to be ready', timeout: 20_000 })
  }
}

/** Starts a Redis Cluster on loopback that finds a dead master within seconds. */
export async function startCluster(
  program: string,
  { replicas = false, announced, args = [] }: TestClusterOptions = {},
): Promise<TestCluster> {
  const count = replicas ? masters * 2 : masters
  const argsOf = (i: number) =>
    i === 0 && announced !== undefined ? ['--cluster-announce-port', `${announced}`] : []
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, i) => startNode(program, [...argsOf(i), ...args])),
  )
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    await join(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  const alive = () => nodes.filter(({ process }) => !process.killed)
  const masterOf = async (key: string) => {
    const [witness] = alive()
    if (!witness) throw new Error('every node is gone')
    const slot = await tell<number>(witness, 'CLUSTER', 'KEYSLOT', key)
    const ranges = await tell<[number, number, [string, number]][]>(witness, 'CLUSTER', 'SLOTS')
    const port = ranges.find(([low, high]) => low <= slot && slot <= high)?.[2][1]
    const master = nodes.find((node) => node.port === port)
    if (!master) throw new Error(`nobody serves slot ${slot}`)
    return master
  }
  const moveSlotOf: TestCluster['moveSlotOf'] = async (key, to, pause) => {
    const from = await masterOf(key)
    const [fromId, toId] = [await idOf(from), await idOf(to)]
    const slot = await tell<number>(from, 'CLUSTER', 'KEYSLOT', key)
    await tell(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
    await tell(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
    const move = async (wanted: (name: string) => boolean) => {
      for (;;) {
        const all = await tell<string[]>(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)
        const keys = all.filter(wanted)
        if (keys.length === 0) break
        await tell(from, 'MIGRATE', host, to.port, '', 0, 5000, 'KEYS', ...keys)
      }
    }
    if (pause) {
      await move((name) => !pause.last.some((end) => name.endsWith(end)))
      await pause.midway()
    }
    await move(() => true)
    await tell(to, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId)
    await tell(from, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId)
  }
  const named = nodes.slice(0, masters).map(({ port }) => ({ host, port }))
  return { nodes, settings: { nodes: named }, masterOf, moveSlotOf, stop }
}
