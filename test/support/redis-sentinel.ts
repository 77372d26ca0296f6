import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithThisProcess } from '../../src/broker/embedded/guard.js'
import { choosePort } from '../../src/broker/embedded/redis-process.js'
import { ask } from '../../src/broker/embedded/resp.js'
import { startRedisProcess, type TestRedis } from './redis-process.js'
import { until } from './until.js'

export interface TestSentinels {
  readonly master: TestRedis
  /** The first of `replicas`. */
  readonly replica: TestRedis
  readonly replicas: readonly TestRedis[]
  readonly sentinels: readonly { readonly port: number; readonly process: ChildProcess }[]
  /** As `redis.sentinel` takes it. */
  readonly settings: {
    name: string
    nodes: { host: string; port: number }[]
    username?: string
    password?: string
  }
  /** Who is master now, by what the last of the sentinels says. */
  current(): Promise<TestRedis>
  /** A partition, of `named` servers: replicas and sentinels cannot reach a server any more, clients can. */
  cut(server: TestRedis): Promise<void>
  heal(server: TestRedis): Promise<void>
  stop(): Promise<void>
}

const host = '127.0.0.1'
const name = 'tasks'
/** As whom replica and sentinels come to a server, so that it can be cut off from them alone. */
const peer = { username: 'peer', password: 'of-peers' }
const client = { username: 'client', password: 'of-clients' }

const admit = ({ username, password }: typeof peer) =>
  `ACL SETUSER ${username} on >${password} ~* &* +@all`
const login = `AUTH ${client.username} ${client.password}`

/** Works where nobody needs a name too: the refusal of the first command is passed over. */
const askAsClient = (port: number, command: string) => ask(port, [login, command])
/** Who was refused could go on without a name. */
const closeToStrangers = (port: number) =>
  ask(port, [admit(peer), admit(client), 'ACL SETUSER default off'])

export interface TestSentinelsOptions {
  /** Further options of both redis-servers, as `['--min-replicas-to-write', '1']`. */
  readonly args?: readonly string[]
  /** How many replicas; 1 if left out. */
  readonly replicas?: number
  /** Nobody comes to a server without a name, so that `cut` can tell peers from clients. */
  readonly named?: boolean
}

interface Peer {
  readonly port: number
  readonly id: string
}

async function startSentinel(program: string, me: Peer, known: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'redisdistro-sentinel-'))
  const config = join(folder, 'sentinel.conf')
  const own = [`port ${me.port}`, `bind ${host}`, `dir ${folder}`, `sentinel myid ${me.id}`]
  await writeFile(config, `${[...own, ...known].join('\n')}\n`)
  const child = spawn(program, [config, '--sentinel'], { stdio: 'ignore', detached: true })
  const ended = once(child, 'exit')
  endWithThisProcess(child)
  const stop = async () => {
    // One that is stopped could not hear the other.
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  return { port: me.port, process: child, stop }
}

/** Starts a master, replicas of it and three sentinels on loopback that find a dead master within seconds. */
export async function startSentinels(
  program: string,
  { args = [], replicas: count = 1, named = false }: TestSentinelsOptions = {},
): Promise<TestSentinels> {
  const asPeer = named ? ['--masteruser', peer.username, '--masterauth', peer.password] : []
  const common = ['--repl-diskless-sync-delay', '0', ...asPeer, ...args]
  const master = await startRedisProcess({ program, args: common })
  if (named) await closeToStrangers(master.port)
  const following = [...common, '--replicaof', host, `${master.port}`]
  const replicas = await Promise.all(
    Array.from({ length: count }, () => startRedisProcess({ program, args: following })),
  )
  const [replica] = replicas
  if (replica === undefined) throw new Error('no replica is asked for')
  if (named) for (const { port } of replicas) await closeToStrangers(port)
  const peers: Peer[] = []
  for (let i = 0; i < 3; i++) {
    peers.push({ port: await choosePort(0), id: randomBytes(20).toString('hex') })
  }
  // Told whom there is, for they take ten seconds to find out.
  const known = (me: Peer) => [
    `sentinel monitor ${name} ${host} ${master.port} 2`,
    `sentinel down-after-milliseconds ${name} 1000`,
    ...(named
      ? [
          `sentinel auth-user ${name} ${peer.username}`,
          `sentinel auth-pass ${name} ${peer.password}`,
        ]
      : []),
    `sentinel failover-timeout ${name} 5000`,
    ...replicas.map(({ port }) => `sentinel known-replica ${name} ${host} ${port}`),
    ...peers
      .filter((peer) => peer !== me)
      .map(({ port, id }) => `sentinel known-sentinel ${name} ${host} ${port} ${id}`),
  ]
  const sentinels = await Promise.all(peers.map((me) => startSentinel(program, me, known(me))))
  const stop = async () => {
    for (const { process } of [master, ...replicas]) process.kill('SIGCONT')
    await Promise.all([...sentinels, master, ...replicas].map((server) => server.stop()))
  }
  const isLinked = async (port: number) =>
    (await askAsClient(port, 'INFO replication'))?.includes('master_link_status:up')
  const knowsAll = async (port: number) => {
    const answer = await ask(port, ['INFO sentinel'])
    return answer?.includes('status=ok') && answer.includes(`slaves=${count},sentinels=3`)
  }
  try {
    for (const { port } of replicas) {
      await until(() => isLinked(port), { describe: 'the replica to follow' })
    }
    for (const { port } of sentinels) {
      await until(() => knowsAll(port), { timeout: 20_000, describe: 'the sentinels to meet' })
    }
  } catch (error) {
    await stop()
    throw error
  }
  const nodes = sentinels.map(({ port }) => ({ host, port }))
  const current = async () => {
    const answer =
      (await ask(peers.at(-1)?.port ?? 0, [`SENTINEL GET-MASTER-ADDR-BY-NAME ${name}`])) ?? ''
    const found = [master, ...replicas].find(({ port }) => answer.includes(`\r\n${port}\r\n`))
    if (found === undefined) throw new Error('the sentinels know no master')
    return found
  }
  return {
    master,
    replica,
    replicas,
    sentinels,
    settings: { name, nodes, ...(named ? client : {}) },
    current,
    // Ends their connections too.
    cut: async ({ port }) => void (await askAsClient(port, `ACL DELUSER ${peer.username}`)),
    heal: async ({ port }) => void (await askAsClient(port, admit(peer))),
    stop,
  }
}
