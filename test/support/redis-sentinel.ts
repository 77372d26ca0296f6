import { spawn } from 'node:child_process'
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
  readonly replica: TestRedis
  /** As `redis.sentinel` takes it. */
  readonly settings: { name: string; nodes: { host: string; port: number }[] }
  stop(): Promise<void>
}

const host = '127.0.0.1'
const name = 'tasks'

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
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  return { port: me.port, stop }
}

/** Starts a master, a replica of it and three sentinels on loopback that find a dead master within seconds. */
export async function startSentinels(program: string): Promise<TestSentinels> {
  const prompt = ['--repl-diskless-sync-delay', '0']
  const master = await startRedisProcess({ program, args: prompt })
  const following = [...prompt, '--replicaof', host, `${master.port}`]
  const replica = await startRedisProcess({ program, args: following })
  const peers: Peer[] = []
  for (let i = 0; i < 3; i++) {
    peers.push({ port: await choosePort(0), id: randomBytes(20).toString('hex') })
  }
  // Told whom there is, for they take ten seconds to find out.
  const known = (me: Peer) => [
    `sentinel monitor ${name} ${host} ${master.port} 2`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
    `sentinel known-replica ${name} ${host} ${replica.port}`,
    ...peers
      .filter((peer) => peer !== me)
      .map(({ port, id }) => `sentinel known-sentinel ${name} ${host} ${port} ${id}`),
  ]
  const sentinels = await Promise.all(peers.map((me) => startSentinel(program, me, known(me))))
  const stop = async () => {
    await Promise.all([...sentinels, master, replica].map((server) => server.stop()))
  }
  const isLinked = async () =>
    (await ask(replica.port, ['INFO replication']))?.includes('master_link_status:up')
  const knowsAll = async (port: number) => {
    const answer = await ask(port, ['INFO sentinel'])
    return answer?.includes('status=ok') && answer.includes('slaves=1,sentinels=3')
  }
  try {
    await until(isLinked, { describe: 'the replica to follow' })
    for (const { port } of sentinels) {
      await until(() => knowsAll(port), { timeout: 20_000, describe: 'the sentinels to meet' })
    }
  } catch (error) {
    await stop()
    throw error
  }
  const nodes = sentinels.map(({ port }) => ({ host, port }))
  return { master, replica, settings: { name, nodes }, stop }
}
