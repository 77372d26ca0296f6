import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import type { Running } from '../cli/bin.js'
import { isAlive, startRedis } from '../support/redis.js'
import { account } from './rig/account.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { startLoad } from './rig/load.js'

/** Minutes that it shall last; by hand alone: `npm run faults -- --soak 60`. */
const minutes = Number(process.env['REDISDISTRO_FAULTS_SOAK'])

/** What must not grow, of the store and of one worker's process that lives throughout. */
interface Sample {
  readonly heap: number
  readonly descriptors: number
  readonly keys: number
  readonly connections: number
  readonly stored: number
}

const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024)
const field = (text: string, name: string) =>
  Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1])

async function sample(redis: Redis, pid: number): Promise<Sample> {
  return {
    heap: field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS') * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    keys: await redis.dbsize(),
    connections: field(await redis.info('clients'), 'connected_clients'),
    stored: field(await redis.info('memory'), 'used_memory'),
  }
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

const of = (samples: readonly Sample[]) => ({
  heap: median(samples.map(({ heap }) => heap)),
  descriptors: median(samples.map(({ descriptors }) => descriptors)),
  keys: median(samples.map(({ keys }) => keys)),
  connections: median(samples.map(({ connections }) => connections)),
  stored: median(samples.map(({ stored }) => stored)),
})

const words = ({ heap, descriptors, keys, connections, stored }: Sample) =>
  `worker ${megabytes(heap)} MB, ${descriptors} descriptors; Redis ${megabytes(stored)} MB, ` +
  `${keys} keys, ${connections} connections`

experiment<number>(
  {
    fault: 'a soak with faults all along',
    short: minutes,
    timeout: (minutes + 10) * 60_000,
  },
  async (length, progress) => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const redis = new Redis(server.url, { maxRetriesPerRequest: null })
    onTestFinished(() => redis.disconnect())
    redis.on('error', () => undefined)
    const retention = { completed: { age: '20s', count: 2000 } }
    const config = { defaults: { retention } }
    const fleet = await makeFleet({ redis: { url: server.url }, config })
    const steady = await fleet.work()
    const doomed = await fleet.work()
    const load = startLoad(fleet.client, {
      rate: 200,
      task: (n) => ({ type: 'note', payload: { n, ms: 5 } }),
    })
    const faults: ((worker: Running) => unknown)[] = [
      (worker) => {
        // After a few deaths its supervisor takes its time.
        const pid = worker.kernels().at(-1) ?? 0
        if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      },
      () => redis.call('SCRIPT', 'FLUSH'),
      () => redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
      () => redis.call('CLIENT', 'PAUSE', '1500', 'ALL'),
    ]
    const samples: Sample[] = []
    const end = performance.now() + length * 60_000
    for (let round = 0; performance.now() < end; round++) {
      await faults[round % faults.length]?.(doomed)
      await wait(5000)
      const seen = await sample(redis, steady.kernels()[0] ?? 0)
      samples.push(seen)
      progress(`${Math.ceil((end - performance.now()) / 60_000)} min left; ${words(seen)}`)
    }
    await load.stop()
    const { acknowledged, lost, twice, startedAgain } = await account(fleet, load.acknowledged)
    const third = Math.floor(samples.length / 3)
    const [early, late] = [of(samples.slice(third, third * 2)), of(samples.slice(-third))]
    expect(lost).toBe(0)
    expect(steady.kernels()).toHaveLength(1)
    expect(late.heap).toBeLessThan(early.heap * 1.25)
    expect(late.descriptors).toBeLessThanOrEqual(early.descriptors + 2)
    expect(late.connections).toBeLessThanOrEqual(early.connections + 2)
    expect(late.keys).toBeLessThanOrEqual(early.keys + 2)
    expect(late.stored).toBeLessThan(early.stored * 1.25)
    return {
      acknowledged,
      lost,
      twice,
      again: `${startedAgain} that a killed worker had`,
      seen: `${words(early)}; at the end ${words(late)}`,
    }
  },
)
