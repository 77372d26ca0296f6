import type { Broker, LeaseKeeper, Partition, RetentionLimit } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import type { Life } from '../core/life.js'
import type { TaskRegistry } from '../core/registry.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import type { Isolate } from './isolate.js'
import type { Shares } from './shares.js'

/** What one worker of one partition needs; durations in ms. */
export interface QueueWorkerOptions {
  readonly broker: Broker
  readonly partition: Partition
  readonly concurrency: number
  /** Of its queue among those that share the process's slots. */
  readonly weight: number
  /** Left out where a process may run as much as its queues together. */
  readonly shares?: Shares | undefined
  readonly registry: TaskRegistry
  readonly settings: {
    readonly lease: number
    readonly shutdownGrace: number
    readonly mismatchGrace: number
    readonly maxCrashes: number
  }
  /** Of completed tasks. */
  readonly retention: RetentionLimit
  readonly log: Log
  readonly counters: Counters
  readonly keeper: LeaseKeeper
  readonly clock: Clock
  /** The process's; part of the names of its leases. */
  readonly life: Life
  /** Runs a suspect task in a process of its own, where there can be one. */
  readonly isolate?: Isolate | undefined
}
