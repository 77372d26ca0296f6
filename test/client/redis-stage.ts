import { z } from 'zod'
import type { ConnectionSettings } from '../../src/broker/index.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { Client } from '../../src/client/client.js'
import type { Directory } from '../../src/client/contract.js'
import { Operator } from '../../src/client/operator.js'
import { partitionsOf } from '../../src/client/placement.js'
import { catalogueOf, registryDirectory } from '../../src/client/registry-directory.js'
import type { Broker, LeasedTask, SettledOutcome } from '../../src/core/broker.js'
import type { Clock } from '../../src/core/clock.js'
import { defineTask } from '../../src/core/definition.js'
import type { ResolvedTask } from '../../src/core/registry.js'
import { silentLog } from '../../src/telemetry/log.js'
import { testPrefix, testRedisUrl } from '../support/redis.js'

/** Noon, 1 January 2026, UTC. */
export const noon = Date.UTC(2026, 0, 1, 12)

const definitions = [
  defineTask({
    type: 'email',
    payload: z.object({ to: z.email(), n: z.int().default(0), runAt: z.string().optional() }),
    handle: () => 'sent',
  }),
  defineTask({
    type: 'image',
    payload: z.object({ url: z.url() }),
    queue: 'wide',
    handle: () => undefined,
  }),
]

const resolved = (definition: (typeof definitions)[number]): ResolvedTask => ({
  definition,
  queue: definition.queue ?? 'main',
  retry: { attempts: 10, backoff: 'fixed', delay: 1000, maxDelay: 1000, jitter: 0 },
  timeout: 60_000,
  deadLetter: definition.type === 'image' ? 'dead:image' : 'dead',
})

const registryOf = (wide: number) => ({
  tasks: new Map(definitions.map((each) => [each.type, resolved(each)])),
  queues: new Map([
    ['main', 1],
    ['wide', wide],
  ]),
  tz: 'Europe/Rome',
})

/** A client and an operator over a real Redis, under a clock of the test's own. */
export class RedisStage {
  readonly broker: Broker
  readonly directory: Directory
  readonly client: Client
  readonly operator: Operator
  readonly #registry: ReturnType<typeof registryOf>
  now = noon
  /** Redis's time; the client's own clock is `skew` ms ahead of it. */
  skew = 0
  readonly clock: Clock = {
    now: () => this.now + this.skew,
    monotonic: () => performance.now(),
  }

  /** `wide` is the number of partitions of the queue of that name. */
  constructor({
    prefix = testPrefix(),
    wide = 4,
    connection = { url: testRedisUrl() },
  }: { prefix?: string; wide?: number; connection?: ConnectionSettings } = {}) {
    this.#registry = registryOf(wide)
    this.broker = createRedisBroker({
      connection,
      prefix,
      commandTimeout: 5000,
      allowEviction: false,
      log: silentLog,
      clock: { now: () => this.now, monotonic: () => this.now },
    })
    const realName = (queue: string) => (queue === 'default' ? 'main' : queue)
    const { broker, clock } = this
    this.directory = registryDirectory({ ...this.#registry, broker, clock, realName })
    const parts = { broker, clock, directory: this.directory }
    // What it estimates goes by the monotonic time, which stands still here as the other does.
    this.client = new Client({ ...parts, clock: { ...clock, monotonic: () => this.now } })
    this.operator = new Operator(parts)
  }

  async open(): Promise<void> {
    await this.broker.open()
  }

  publish(): Promise<void> {
    return this.broker.publish(catalogueOf(this.#registry))
  }

  async close(): Promise<void> {
    await this.client.close()
    await this.operator.close()
    await this.broker.close()
  }

  /** Joins a worker `w` to `main`. */
  async join(): Promise<void> {
    const about = { host: 'here', pid: 7, concurrency: 5, startedAt: this.now }
    await this.broker.join(this.#main, 'w', 30_000, about)
  }

  /** It leaves again, in order. */
  async leave(): Promise<void> {
    await this.broker.leave(this.#main, 'w')
  }

  async rescue(): Promise<void> {
    await this.broker.rescue(this.#main, 30_000)
  }

  /** An operator of a process that has no types of its own, and the same queues. */
  stranger(): Operator {
    const { broker, clock } = this
    const types = { ...this.#registry, tasks: new Map(), broker, clock }
    const directory = registryDirectory({ ...types, realName: (queue) => queue })
    return new Operator({ broker, clock, directory })
  }

  /** Buries what was not started in time. */
  async prune(): Promise<void> {
    const kept = { age: 86_400_000, count: 10_000 }
    await this.broker.prune(this.#main, { completed: kept, dead: kept, cancelled: kept })
  }

  async lease(wanted: number): Promise<readonly LeasedTask[]> {
    const reply = await this.#cycle(wanted, [])
    if (reply.lost) throw new Error('the lease was lost')
    return reply.leased
  }

  async settle(task: LeasedTask, outcome: SettledOutcome): Promise<void> {
    const settled = { task, outcome, startedAt: this.now, endedAt: this.now, progressed: false }
    await this.#cycle(0, [settled])
  }

  /** Leases so many of `main` and buries them with this error. */
  async bury(count: number, message = 'it broke'): Promise<void> {
    const error = { name: 'Error', message, code: 'failed' }
    for (const task of await this.lease(count)) await this.settle(task, { name: 'bury', error })
  }

  #cycle(wanted: number, settled: Parameters<Broker['cycle']>[1]['settled']) {
    const retention = { age: 86_400_000, count: 10_000 }
    return this.broker.cycle(this.#main, {
      worker: 'w',
      settled,
      wanted,
      promote: false,
      retention,
    })
  }

  get #main() {
    const [main] = partitionsOf('main', 1)
    if (main === undefined) throw new Error('main has one partition')
    return main
  }
}

export const to = (n: number) => ({ to: `user${n}@example.com`, n })
