import { expect, onTestFinished, vi } from 'vitest'
import type { Running } from '../cli/bin.js'
import { type TestRedis, testPrefix, testRedisServer, until } from '../support/redis.js'
import { startSentinels, type TestSentinels } from '../support/redis-sentinel.js'
import { account } from './rig/account.js'
import { experiment, type Finding } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { type Enqueuing, type Load, startLoad } from './rig/load.js'
import { operate } from './rig/operate.js'

vi.setConfig({ testTimeout: 120_000 })

/** ms for what takes some seconds, on a busy machine. */
const farOff = 30_000
const lease = 2000

interface Failover {
  readonly rate: number
  /** Further options of both redis-servers. */
  readonly args?: readonly string[]
  readonly replicas?: number
  /** More of the config's key `redis`. */
  readonly redis?: Readonly<Record<string, unknown>>
}

interface Scene {
  readonly started: readonly Running[]
  readonly servers: TestSentinels
  readonly fleet: Fleet
  readonly url: string
  readonly load: Load
}

const later = (payload: unknown) => (payload as { n: number }).n % 2 === 1

/** Every second task is to come later, so that some always lie in Redis alone. */
const mixed = ({ client }: Fleet): Enqueuing => ({
  enqueue: (type, payload) =>
    client.enqueue(type, payload, later(payload) ? { delay: '2s' } : undefined),
})

/** Two workers and a producer behind Sentinel, under load. */
async function stage({ rate, args = [], replicas = 1, redis = {} }: Failover): Promise<Scene> {
  const servers = await startSentinels(testRedisServer(), { args, replicas, named: true })
  onTestFinished(() => servers.stop())
  const fleet = await makeFleet({
    redis: { sentinel: servers.settings, prefix: testPrefix(), ...redis },
    lease: `${lease}ms`,
  })
  const [one, other, { url, running }] = await Promise.all([
    fleet.work(),
    fleet.work(),
    fleet.produce(),
  ])
  const load = startLoad(mixed(fleet), { rate })
  await until(() => load.acknowledged.size > rate, { timeout: farOff })
  return { servers, fleet, url, load, started: [one, other, running] }
}

interface Fault {
  fault(master: TestRedis): Promise<unknown>
  heal?(master: TestRedis): Promise<unknown>
}

/** Every task is here by the number in its payload, whichever way it was enqueued. */
const startedSince = (fleet: Fleet, from: number) =>
  fleet.ledger.starts().filter(({ seen }) => seen > from).length

/**
 * Makes the master change under load. What was acknowledged a while before must not be lost, nor run
 * again where it had ended; what came since then is counted. Everything must go on by itself.
 */
async function failover(
  { servers, fleet, url, load, started }: Scene,
  { fault, heal }: Fault,
): Promise<Finding & { readonly lostOnes: readonly number[] }> {
  const known = new Set(load.acknowledged)
  const ended = new Set(fleet.ledger.ends().map(({ n }) => n))
  const { size } = load.acknowledged
  await until(() => load.acknowledged.size > size + 200, { timeout: farOff })
  // On a busy machine the sentinels may have chosen another one already.
  const master = await servers.current()
  await fault(master)
  await until(async () => (await servers.current()) !== master, {
    timeout: farOff,
    describe: 'a replica to become master',
  })
  const promoted = performance.now()
  const after = load.acknowledged.size
  await until(() => load.acknowledged.size > after, { timeout: farOff })
  const enqueues = performance.now() - promoted
  await until(() => startedSince(fleet, promoted) > 0, { timeout: farOff })
  const works = performance.now() - promoted
  await until(() => load.acknowledged.size > after + 200, { timeout: farOff })
  await operate(url)
  await heal?.(master)
  await load.stop()
  const { acknowledged, lost, twice, startedAgain } = await account(fleet, load.acknowledged)
  const ran = new Set(fleet.ledger.ends().map(({ n }) => n))
  const lostOnes = [...load.acknowledged].filter((n) => !ran.has(n))
  expect(lostOnes.filter((n) => known.has(n))).toEqual([])
  expect(doubled(fleet).filter((n) => ended.has(n))).toEqual([])
  // Nothing of it went past the log.
  for (const { output } of started) expect(output()).not.toContain('[ioredis]')
  expect(load.slowest()).toBeLessThan(farOff)
  await operate(url)
  const seconds = (enqueues / 1000).toFixed(1)
  return {
    acknowledged,
    lost,
    lostOnes,
    twice,
    again: `${startedAgain} whose end the new master had not heard of`,
    recovery: works,
    lease,
    seen: `enqueues go on ${seconds} s after the promotion, ${load.refused.size} refused meanwhile`,
  }
}

/** Numbers of tasks that came to their end more than once. */
function doubled(fleet: Fleet): number[] {
  const ends = new Map<number, number>()
  for (const { n } of fleet.ledger.ends()) ends.set(n, (ends.get(n) ?? 0) + 1)
  return [...ends].flatMap(([n, count]) => (count > 1 ? [n] : []))
}

const without = ({ lostOnes: _, ...finding }: Awaited<ReturnType<typeof failover>>): Finding =>
  finding

/** The one that clients ask first says nothing from now on. */
const muteFirst = ({ sentinels }: TestSentinels) => sentinels[0]?.process.kill('SIGSTOP')

experiment<Failover>(
  {
    fault: 'Sentinel: kill -9 of the master, one of three sentinels answers nothing',
    long: { rate: 500 },
  },
  async (size) => {
    const scene = await stage(size)
    const fault = async (master: TestRedis) => {
      muteFirst(scene.servers)
      await master.kill()
    }
    return without(await failover(scene, { fault }))
  },
)

experiment<Failover>(
  {
    fault: 'Sentinel: the master is frozen (SIGSTOP), and goes on when another one is there',
    long: { rate: 500 },
  },
  async (size) => {
    const scene = await stage(size)
    const tell = (signal: NodeJS.Signals) => async (master: TestRedis) =>
      master.process.kill(signal)
    return without(await failover(scene, { fault: tell('SIGSTOP'), heal: tell('SIGCONT') }))
  },
)

async function cutOff(size: Failover): Promise<Finding> {
  const scene = await stage(size)
  const { cut, heal } = scene.servers
  return without(await failover(scene, { fault: cut, heal }))
}

experiment<Failover>(
  {
    fault: 'Sentinel: the master is cut off from its replica, clients are on its side',
    long: { rate: 500 },
  },
  cutOff,
)

experiment<Failover>(
  {
    fault: 'Sentinel: the same with min-replicas-to-write 1',
    long: {
      rate: 500,
      replicas: 2,
      args: ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2'],
    },
  },
  cutOff,
)

experiment<Failover>(
  {
    fault: "Sentinel: the same with durability 'replicated', and a sentinel that answers nothing",
    short: { rate: 200, replicas: 2, redis: { durability: 'replicated' } },
    long: { rate: 500, replicas: 2, redis: { durability: 'replicated' } },
  },
  async (size) => {
    const scene = await stage(size)
    const { cut, heal } = scene.servers
    const fault = async (master: TestRedis) => {
      muteFirst(scene.servers)
      await cut(master)
    }
    const { lostOnes, ...finding } = await failover(scene, { fault, heal })
    expect(lostOnes).toEqual([])
    return finding
  },
)
