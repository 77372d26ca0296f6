import type { Broker, Partition } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import type { Directory, QueueStatus, Stats, WorkerStatus } from './contract.js'
import { queueParts } from './locate.js'
import { queueStatus, storeStats } from './queue-status.js'
import type { HandParts } from './task-hand.js'
import { workersOf } from './worker-status.js'

/** Tells how queues and their workers are, and holds queues up. */
export class QueueHand {
  readonly #broker: Broker
  readonly #directory: Directory
  readonly #clock: Clock

  constructor({ broker, directory, clock }: HandParts) {
    this.#broker = broker
    this.#directory = directory
    this.#clock = clock
  }

  async queues(): Promise<QueueStatus[]> {
    const queues = await queueParts(this.#directory, undefined)
    return await Promise.all(queues.map((queue) => queueStatus(this.#broker, queue)))
  }

  async queue(name: string): Promise<QueueStatus> {
    const [queue] = await queueParts(this.#directory, name)
    if (queue === undefined) throw new RedisDistroError('unknown_queue', `no queue '${name}'`)
    return await queueStatus(this.#broker, queue)
  }

  async setPaused(name: string, paused: boolean): Promise<QueueStatus> {
    const partitions = await this.partitions(name)
    await Promise.all(partitions.map((partition) => this.#broker.pause(partition, paused)))
    return await this.queue(name)
  }

  async workers(): Promise<WorkerStatus[]> {
    const partitions = await this.partitions(undefined)
    const lists = await Promise.all(partitions.map((part) => workersOf(this.#broker, part)))
    return lists.flat()
  }

  async stats(): Promise<Stats> {
    const queues = await queueParts(this.#directory, undefined)
    return await storeStats(this.#broker, queues, () => this.#clock.now())
  }

  async partitions(name: string | undefined): Promise<Partition[]> {
    return (await queueParts(this.#directory, name)).flatMap(({ parts }) => parts)
  }
}
