import type { Partition } from '../core/broker.js'
import type { LimitsChange } from '../core/limits.js'
import type { QueueStatus, Stats, WorkerStatus } from './contract.js'
import { partsFor, queueParts } from './locate.js'
import { atQueue, limited, paused } from './queue-moves.js'
import { queueStatus, storeStats } from './queue-status.js'
import type { HandParts } from './task-hand.js'
import { workersOf } from './worker-status.js'

/** Tells how queues and their workers are, holds queues up, and limits them. */
export class QueueHand {
  readonly #parts: HandParts

  constructor(parts: HandParts) {
    this.#parts = parts
  }

  async queues(): Promise<QueueStatus[]> {
    const queues = await queueParts(this.#parts.directory, undefined)
    return await Promise.all(queues.map((queue) => queueStatus(this.#parts.broker, queue)))
  }

  queue(name: string): Promise<QueueStatus> {
    return atQueue(this.#parts, name)
  }

  setPaused(name: string, on: boolean): Promise<QueueStatus> {
    return atQueue(this.#parts, name, paused(on))
  }

  limit(name: string, change: LimitsChange): Promise<QueueStatus> {
    return atQueue(this.#parts, name, limited(change))
  }

  async workers(): Promise<WorkerStatus[]> {
    const partitions = await this.partitions(undefined)
    const lists = await Promise.all(partitions.map((part) => workersOf(this.#parts.broker, part)))
    return lists.flat()
  }

  async stats(): Promise<Stats> {
    const queues = await queueParts(this.#parts.directory, undefined)
    return await storeStats(this.#parts.broker, queues, () => this.#parts.clock.now())
  }

  /** All, or those of one queue; of those, where a task of this id may lie. */
  async partitions(name: string | undefined, id?: string): Promise<Partition[]> {
    return partsFor(await queueParts(this.#parts.directory, name), id)
  }
}
