import { expect, onTestFinished, vi } from 'vitest'
import { partitionOf, partitionsOf } from '../../src/client/placement.js'
import { type TestRedis, testPrefix, testRedisServer, until } from '../support/redis.js'
import {
  startCluster,
  type TestCluster,
  type TestClusterOptions,
} from '../support/redis-cluster.js'
import { account } from './rig/account.js'
import { experiment, type Finding } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { type Enqueuing, type Load, startLoad } from './rig/load.js'
import { operate } from './rig/operate.js'

vi.setConfig({ testTimeout: 120_000 })

/** ms for what takes some seconds, on a busy machine. */
const farOff = 30_000
const lease = 2000
/** Parts of the queue, which lie on all nodes. */
const partitions = 6

interface Scene {
  readonly cluster: TestCluster
  readonly fleet: Fleet
  readonly url: string
  readonly load: Load
  /** A key of the part of this number. */
  keyOf(index: number): string
}

const later = (payload: unknown) => (payload as { n: number }).n % 2 === 1
const idOf = (n: number) => `t-${n}`

/** Every second task is to come later; ids are told by the number, and so is the part. */
const mixed = ({ client }: Fleet): Enqueuing => ({
  enqueue: (type, payload) =>
    client.enqueue(type, payload, {
      taskId: idOf((payload as { n: number }).n),
      ...(later(payload) ? { delay: '2s' } : {}),
    }),
})

/** Two workers and a producer on a cluster, under load. */
async function stage(rate: number, options: TestClusterOptions = {}): Promise<Scene> {
  const cluster = await startCluster(testRedisServer(), options)
  onTestFinished(() => cluster.stop())
  const prefix = testPrefix()
  const retention = { completed: { age: '24h', count: 1_000_000 } }
  const fleet = await makeFleet({
    redis: { cluster: cluster.settings, prefix },
    lease: `${lease}ms`,
    config: { queues: { default: { concurrency: 10, partitions, retention } } },
  })
  const [, , { url }] = await Promise.all([fleet.work(), fleet.work(), fleet.produce()])
  const load = startLoad(mixed(fleet), { rate })
  await until(() => load.acknowledged.size > rate, { timeout: farOff })
  return { cluster, fleet, url, load, keyOf: (i) => `${prefix}:{default:${i}}:wake` }
}

/** Resolves when as many more are acknowledged as callers enqueue in a second, and some ran. */
async function goesOn({ fleet, load }: Scene, more: number) {
  const acknowledged = load.acknowledged.size
  const ran = fleet.ledger.ends().length
  await until(() => load.acknowledged.size > acknowledged + more, { timeout: farOff })
  await until(() => fleet.ledger.ends().length > ran + more / 2, { timeout: farOff })
}

const codesOf = (load: Load) => [...new Set(load.refused.values())].sort()

/** Numbers of tasks that were refused as surely not written, and ran all the same. */
function ranAlthoughRefused({ fleet, load }: Scene): number[] {
  const ran = new Set(fleet.ledger.starts().map(({ n }) => n))
  return [...load.refused].flatMap(([n, code]) => (code === 'store_away' && ran.has(n) ? [n] : []))
}

interface Moves {
  readonly rate: number
  /** How often each part goes to another node. */
  readonly rounds: number
}

/** So many numbers, beyond those of the load, of tasks that come to one part. */
function numbersOf(index: number, count: number): number[] {
  const found: number[] = []
  for (let n = 1_000_000; found.length < count; n++) {
    if (partitionOf('default', partitions, idOf(n)).index === index) found.push(n)
  }
  return found
}

/** Another master than the one where the part lies. */
async function otherThan({ cluster, keyOf }: Scene, index: number): Promise<TestRedis> {
  const from = await cluster.masterOf(keyOf(index))
  const to = cluster.nodes.slice(0, 3).find((node) => node !== from)
  if (to === undefined) throw new Error('there is one master only')
  return to
}

experiment<Moves>(
  {
    fault: 'Redis Cluster: slots move to other nodes under load (MOVED, ASK, TRYAGAIN)',
    short: { rate: 200, rounds: 1 },
    long: { rate: 500, rounds: 10 },
  },
  async ({ rate, rounds }, progress) => {
    const scene = await stage(rate)
    const { cluster, fleet, load, keyOf, url } = scene
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`)
      for (let i = 0; i < partitions; i++) {
        await cluster.moveSlotOf(keyOf(i), await otherThan(scene, i))
      }
      await goesOn(scene, rate / 4)
    }
    const refusedAtOnce = load.refused.size
    progress('a slot stays between two nodes')
    // One lies in two places for several leases; callers hear of it, those of other parts do not.
    const held = numbersOf(0, 4)
    for (const n of held) await fleet.client.enqueue('gated', { n }, { taskId: idOf(n) })
    const runs = () => fleet.ledger.starts().filter(({ n }) => held.includes(n)).length
    await until(() => runs() === held.length, { timeout: farOff })
    const midway = async () => {
      await until(() => load.refused.size > refusedAtOnce + 5, { timeout: farOff })
      const [late = 0] = numbersOf(1, 1)
      const delay = lease * 3
      await fleet.client.enqueue('note', { n: late }, { taskId: idOf(late), delay })
      await until(() => fleet.ledger.ends().some(({ n }) => n === late), { timeout: farOff })
    }
    // Where a lease can be looked at, but not be renewed, its worker is not late.
    const last = [':workers', ':meta', ':stats']
    await cluster.moveSlotOf(keyOf(0), await otherThan(scene, 0), { last, midway })
    const moved = performance.now()
    const { size } = load.acknowledged
    await until(() => load.acknowledged.size > size, { timeout: farOff })
    const recovery = performance.now() - moved
    await goesOn(scene, rate / 2)
    await fleet.openGate()
    await operate(url)
    await load.stop()
    const refused = [...load.refused.keys()]
    expect(codesOf(load)).toContain('store_away')
    const atRest = refused.filter((n) => partitionOf('default', partitions, idOf(n)).index !== 0)
    expect(atRest.length).toBeLessThanOrEqual(refusedAtOnce)
    const { acknowledged, lost, twice, enqueuedTwice } = await account(fleet, load.acknowledged)
    expect({ lost, twice, enqueuedTwice }).toEqual({ lost: 0, twice: 0, enqueuedTwice: 0 })
    expect(runs()).toBe(held.length)
    expect(ranAlthoughRefused(scene)).toEqual([])
    const between = load.refused.size - refusedAtOnce
    const seen = `${refusedAtOnce} refused in ${rounds * partitions} moves, ${between} while a slot stayed between two nodes (${codesOf(load).join(', ')})`
    return { acknowledged, lost, twice, recovery, lease, seen }
  },
)

interface Loss {
  readonly rate: number
}

/** Kills the master of the first part; resolves with what had been acknowledged a while before. */
async function killFirst({ cluster, keyOf, load }: Scene) {
  const known = new Set(load.acknowledged)
  const { size } = load.acknowledged
  await until(() => load.acknowledged.size > size + 100, { timeout: farOff })
  const doomed = await cluster.masterOf(keyOf(0))
  const masters = await Promise.all(
    partitionsOf('default', partitions).map((_, i) => cluster.masterOf(keyOf(i))),
  )
  const gone = new Set(masters.flatMap((master, i) => (master === doomed ? [i] : [])))
  await doomed.kill()
  const isGone = (n: number) => gone.has(partitionOf('default', partitions, idOf(n)).index)
  return { known, isGone }
}

experiment<Loss>(
  {
    fault: 'Redis Cluster: kill -9 of a master that has a replica',
    long: { rate: 500 },
  },
  async ({ rate }): Promise<Finding> => {
    const scene = await stage(rate, { replicas: true })
    const { cluster, fleet, load, url, keyOf } = scene
    const doomed = await cluster.masterOf(keyOf(0))
    const { known, isGone } = await killFirst(scene)
    await until(async () => (await cluster.masterOf(keyOf(0))) !== doomed, {
      timeout: farOff,
      describe: 'a replica to become master',
    })
    const promoted = performance.now()
    const again = () => [...load.acknowledged].filter(isGone).length
    const before = again()
    await until(() => again() > before, { timeout: farOff })
    const recovery = performance.now() - promoted
    await goesOn(scene, rate)
    await operate(url)
    await load.stop()
    const { acknowledged, lost, twice, startedAgain } = await account(fleet, load.acknowledged)
    const ran = new Set(fleet.ledger.ends().map(({ n }) => n))
    const lostOnes = [...load.acknowledged].filter((n) => !ran.has(n))
    expect(lostOnes.filter((n) => known.has(n) || !isGone(n))).toEqual([])
    expect(ranAlthoughRefused(scene)).toEqual([])
    return {
      acknowledged,
      lost,
      twice,
      again: `${startedAgain} whose end the new master had not heard of`,
      recovery,
      lease,
      seen: `${load.refused.size} refused meanwhile (${codesOf(load).join(', ')})`,
    }
  },
)

experiment<Loss>(
  {
    fault: 'Redis Cluster: a master without a replica is lost for good',
    short: { rate: 200 },
    long: { rate: 500 },
  },
  async ({ rate }): Promise<Finding> => {
    const scene = await stage(rate, { args: ['--cluster-require-full-coverage', 'no'] })
    const { fleet, load, url } = scene
    const { isGone } = await killFirst(scene)
    await until(() => [...load.refused.keys()].filter(isGone).length > 20, { timeout: farOff })
    const refusedElsewhere = () => [...load.refused.keys()].filter((n) => !isGone(n)).length
    const lostAt = performance.now()
    await goesOn(scene, rate / 2)
    const recovery = performance.now() - lostAt
    const settled = refusedElsewhere()
    // The nodes have agreed who is gone; nobody else is refused any more.
    await goesOn(scene, rate / 2)
    expect(refusedElsewhere()).toBe(settled)
    await load.stop()
    const acknowledged = [...load.acknowledged].filter((n) => !isGone(n))
    const ran = () => new Set(fleet.ledger.ends().map(({ n }) => n))
    const missing = () => {
      const seen = ran()
      return acknowledged.filter((n) => !seen.has(n))
    }
    await until(() => missing().length === 0, { timeout: farOff })
    // What hangs on all parts says that one is away, and soon; what does not goes on.
    const ids = [...load.acknowledged].slice(-50)
    const answers = await Promise.all(
      ids.map(async (n) => [isGone(n), (await fetch(`${url}/tasks/${idOf(n)}`)).status]),
    )
    expect(answers.filter(([gone, status]) => !gone && status !== 200)).toEqual([])
    const gone = load.acknowledged.size - acknowledged.length
    return {
      acknowledged: acknowledged.length,
      lost: 0,
      twice: 0,
      recovery,
      lease,
      seen: `${gone} acknowledged before lay on the lost node; ${settled} of other parts refused until the nodes had agreed`,
    }
  },
)
