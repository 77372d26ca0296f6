import type { Broker, LeaseKeeper, Partition } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import type { Service } from '../core/service.js'
import { pruner } from '../services/pruner.js'
import { rescuer } from '../services/rescuer.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { QueueWorker } from '../worker/queue-worker.js'
import { isolation } from './isolation.js'
import type { ResolvedConfig, ResolvedQueue } from './resolved-config.js'

export interface WorkforceParts {
  readonly config: ResolvedConfig
  readonly broker: Broker
  readonly log: Log
  readonly counters: Counters
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

/** One partition's part of what its queue may run at once in this process; at least one. */
export function shareOf(concurrency: number, { index, of }: Partition): number {
  const rest = index < concurrency % of ? 1 : 0
  return Math.max(1, Math.floor(concurrency / of) + rest)
}

/**
 * Everything of the worker's role: one worker for each partition of each queue, one lease keeper for
 * them all, and the services that mend and tidy beside them.
 */
export class Workforce {
  readonly #parts: WorkforceParts
  readonly #queues: ReadonlyMap<string, ResolvedQueue>
  #keeper: LeaseKeeper | undefined
  #services: Service[] = []
  #workers: QueueWorker[] = []

  /** @throws RedisDistroError `unknown_queue` where a named queue is not in the config */
  constructor(parts: WorkforceParts, names: readonly string[] | undefined) {
    this.#parts = parts
    this.#queues = chosen(parts.config, names)
  }

  get healthy(): boolean {
    return this.#workers.length > 0 && this.#workers.every((worker) => worker.healthy)
  }

  start(): void {
    const { broker, config, log, counters } = this.#parts
    const { lease, maxBlocked } = config.worker
    const partitions: Partition[] = []
    const retained = []
    for (const [queue, { partitions: of, retention }] of this.#queues) {
      for (let index = 0; index < of; index += 1) {
        partitions.push({ queue, index, of })
        retained.push({ partition: { queue, index, of }, retention })
      }
    }
    this.#keeper = broker.keeper({
      lease,
      maxBlocked,
      log: (message, fields) => log.error(message, fields),
    })
    this.#services = [
      rescuer({ broker, partitions, lease, log, counters }),
      pruner({ broker, partitions: retained, log, counters }),
    ]
    for (const service of this.#services) service.start()
    this.#workers = partitions.map((partition) =>
      this.#worker(partition, this.#keeper as LeaseKeeper),
    )
    for (const worker of this.#workers) worker.start()
  }

  /** Workers first, so that what they hold is given back while the services still look. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    await Promise.all(this.#services.map((service) => service.stop()))
    await this.#keeper?.close()
  }

  #worker(partition: Partition, keeper: LeaseKeeper): QueueWorker {
    const { broker, config, log, counters } = this.#parts
    const queue = this.#queues.get(partition.queue) as ResolvedQueue
    return new QueueWorker({
      broker,
      partition,
      concurrency: shareOf(queue.concurrency, partition),
      registry: config.tasks,
      settings: config.worker,
      retention: queue.retention.completed,
      log,
      counters,
      keeper,
      clock: systemClock,
      isolate: broker.shared ? isolation(config.file) : undefined,
    })
  }
}
