import { partitionsOf } from '../client/placement.js'
import type { Broker, LeaseKeeper, Partition, Retention } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import type { PluginClient } from '../core/enqueuer.js'
import { RedisDistroError } from '../core/errors.js'
import type { Lives } from '../core/life.js'
import { tagOf } from '../core/partition.js'
import type { Wanted } from '../core/schedule.js'
import type { Service } from '../core/service.js'
import { pruner } from '../services/pruner.js'
import { rescuer } from '../services/rescuer.js'
import { Rounds } from '../services/round.js'
import { scheduler } from '../services/scheduler.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { QueueWorker } from '../worker/queue-worker.js'
import { createShares, type Shares } from '../worker/shares.js'
import { isolation } from './isolation.js'
import { type FormerPart, lookAtFormer } from './layouts.js'
import { Neighbours } from './neighbours.js'
import type { ResolvedConfig, ResolvedQueue } from './resolved-config.js'

export interface WorkforceParts {
  readonly config: ResolvedConfig
  readonly broker: Broker
  readonly client: PluginClient
  readonly log: Log
  readonly counters: Counters
  readonly lives: Lives
  /** Whether this kernel would enqueue what a schedule says. */
  accepts(wanted: Wanted): Promise<boolean>
}

/** The queues that were named, by real name; all where none were. */
function chosen(config: ResolvedConfig, names: readonly string[] | undefined) {
  const picked = new Map<string, ResolvedQueue>()
  for (const name of names ?? config.queues.keys()) {
    const real = name === 'default' ? config.defaultQueue : name
    const queue = config.queues.get(real)
    if (!queue) {
      const known = [...config.queues.keys()].join(', ')
      throw new RedisDistroError(
        'unknown_queue',
        `there is no queue '${name}'; queues here: ${known}`,
      )
    }
    picked.set(real, queue)
  }
  return picked
}

/** The process's slots that all queues share; undefined where they do not. */
function sharesOf(
  { worker: { concurrency } }: ResolvedConfig,
  queues: ReadonlyMap<string, ResolvedQueue>,
): Shares | undefined {
  if (concurrency === undefined) return undefined
  const least = [...queues.values()].reduce((sum, { partitions }) => sum + partitions, 0)
  if (concurrency >= least) return createShares(concurrency)
  throw new RedisDistroError(
    'bad_config',
    `worker.concurrency is ${concurrency}, and ${least} partitions of queues are worked here: ` +
      `each needs one at least; give ${least} or more, or work fewer queues`,
  )
}

/** One partition's part of what its queue may run at once in this process; at least one. */
export function shareOf(concurrency: number, { index, of }: Partition): number {
  const rest = index < concurrency % of ? 1 : 0
  return Math.max(1, Math.floor(concurrency / of) + rest)
}

/** Between two looks at former numbers of partitions, in ms. */
const lookEvery = 5000

/** A partition under this process's care. */
interface Post {
  readonly partition: Partition
  readonly retention: Retention
  worker?: QueueWorker | undefined
}

/**
 * Everything of the worker's role: one worker for each partition of each queue, one lease keeper for
 * them all, and the services that mend and tidy beside them. Where a queue had another number of
 * partitions before, those have their workers too until they are empty.
 */
export class Workforce {
  readonly #parts: WorkforceParts
  readonly #queues: ReadonlyMap<string, ResolvedQueue>
  readonly #shares: Shares | undefined
  /** By the partition's tag. */
  readonly #posts = new Map<string, Post>()
  #keeper: LeaseKeeper | undefined
  #neighbours: Neighbours | undefined
  #services: Service[] = []

  /** @throws RedisDistroError `unknown_queue` for a name not in the config, `bad_config` for too few slots */
  constructor(parts: WorkforceParts, names: readonly string[] | undefined) {
    this.#parts = parts
    this.#queues = chosen(parts.config, names)
    this.#shares = sharesOf(parts.config, this.#queues)
  }

  get healthy(): boolean {
    const workers = [...this.#posts.values()].flatMap(({ worker }) => worker ?? [])
    return workers.length > 0 && workers.every((worker) => worker.healthy)
  }

  /** Resolves when tasks are leased. */
  async start(): Promise<void> {
    const { broker, client, config, log, counters, lives } = this.#parts
    const { lease, maxBlocked } = config.worker
    this.#keeper = broker.keeper({
      lease,
      maxBlocked,
      log: (message, fields) => log.error(message, fields),
    })
    for (const [queue, { partitions }] of this.#queues) {
      for (const partition of partitionsOf(queue, partitions)) this.#post(partition)
    }
    const posts = this.#posts
    const partitions = { [Symbol.iterator]: () => partitionsAt(posts) }
    const retained = { [Symbol.iterator]: () => posts.values() }
    const types = [...config.tasks.keys()]
    const gone = () => [...lives.gone, ...(this.#neighbours?.gone ?? [])]
    const rescuing = rescuer({ broker, partitions, lease, gone, log, counters })
    const onGone = () => void rescuing.tick()
    if (broker.shared) this.#neighbours = new Neighbours({ own: lives.own, lease, log, onGone })
    await this.#neighbours?.start()
    this.#services = [
      rescuing,
      pruner({ broker, partitions: retained, log, counters }),
      scheduler({
        store: broker.schedules,
        client,
        types,
        queueOf: (type) => config.tasks.get(type)?.queue,
        accepts: (wanted) => this.#parts.accepts(wanted),
        mismatchGrace: config.worker.mismatchGrace,
        log,
        counters,
      }),
      this.#lookout(),
    ]
    for (const service of this.#services) service.start()
    for (const post of posts.values()) this.#employ(post)
  }

  /** Workers first, so that what they hold is given back while the rest still looks. */
  async stop(): Promise<void> {
    const [lookout] = this.#services.splice(-1)
    await lookout?.stop()
    await Promise.all([...this.#posts.values()].map(({ worker }) => worker?.stop()))
    await Promise.all(this.#services.map((service) => service.stop()))
    // With a lease that could not be given back, others must learn of this process's end.
    const left = [...this.#posts.values()].every(({ worker }) => worker?.left ?? true)
    await this.#neighbours?.stop({ left })
    await this.#keeper?.close()
  }

  #post(partition: Partition): Post {
    const { retention } = this.#queues.get(partition.queue) as ResolvedQueue
    const post: Post = { partition, retention }
    this.#posts.set(tagOf(partition), post)
    return post
  }

  #lookout(): Service {
    const { broker, log } = this.#parts
    return new Rounds({
      name: 'lookout',
      every: lookEvery,
      round: async () => this.#settleFormer(await lookAtFormer(broker, this.#queues)),
      onFailure: (error) =>
        log.warn('Former numbers of partitions could not be looked at; it is tried again', {
          reason: error instanceof Error ? error.message : String(error),
        }),
    })
  }

  /** Workers where former partitions hold tasks, none where they do not. */
  async #settleFormer(former: readonly FormerPart[]): Promise<void> {
    const leavings: Promise<void>[] = []
    for (const { partition, working } of former) {
      const post = this.#posts.get(tagOf(partition)) ?? this.#post(partition)
      if (working && !post.worker) this.#employ(post)
      if (working || !post.worker) continue
      leavings.push(post.worker.stop())
      post.worker = undefined
    }
    await Promise.all(leavings)
  }

  #employ(post: Post): void {
    const { broker, config, log, counters } = this.#parts
    const { partition, retention } = post
    const queue = this.#queues.get(partition.queue) as ResolvedQueue
    post.worker = new QueueWorker({
      broker,
      partition,
      concurrency: shareOf(queue.concurrency, partition),
      weight: queue.weight / partition.of,
      shares: this.#shares,
      registry: config.tasks,
      settings: config.worker,
      retention: retention.completed,
      log,
      counters,
      keeper: this.#keeper as LeaseKeeper,
      clock: systemClock,
      life: this.#parts.lives.own,
      isolate: broker.shared ? isolation(config.file) : undefined,
    })
    post.worker.start()
  }
}

function* partitionsAt(posts: ReadonlyMap<string, Post>): Generator<Partition> {
  for (const { partition } of posts.values()) yield partition
}
