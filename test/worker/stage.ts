import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import type { Broker, NewTask, StoredTask } from '../../src/core/broker.js'
import { systemClock } from '../../src/core/clock.js'
import { defineTask, type TaskContext } from '../../src/core/definition.js'
import { newLife } from '../../src/core/life.js'
import { rescuer } from '../../src/services/rescuer.js'
import type { Log } from '../../src/telemetry/log.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import type { Isolate } from '../../src/worker/isolate.js'
import { QueueWorker } from '../../src/worker/queue-worker.js'
import type { Shares } from '../../src/worker/shares.js'
import { testPrefix, testRedisUrl, until } from '../support/redis.js'

export interface Line {
  readonly level: 'warn' | 'error'
  readonly message: string
  readonly fields: Record<string, unknown>
}

/** A log that keeps its warnings and errors with their fields. */
export function lineLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = []
  const keep =
    (level: Line['level'], shared: Record<string, unknown>) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, message, fields: { ...shared, ...fields } })
  const withFields = (shared: Record<string, unknown>): Log => ({
    debug: () => undefined,
    info: () => undefined,
    warn: keep('warn', shared),
    error: keep('error', shared),
    with: (fields) => withFields({ ...shared, ...fields }),
  })
  return { ...withFields({}), lines }
}

type Handle = (payload: unknown, context: TaskContext) => unknown

export interface WorkerParts {
  readonly handle: Handle
  readonly lease?: number
  readonly concurrency?: number
  readonly shares?: Shares
  readonly weight?: number
  readonly isolate?: Isolate
  /** What the worker sees in place of the broker. */
  readonly between?: (broker: Broker) => Broker
}

/** A real Redis under a prefix of its own, with a worker of one type `job` where a test starts one. */
export class WorkerStage {
  readonly prefix = testPrefix()
  readonly log = lineLog()
  readonly counters = createCounters()
  readonly partition = { queue: 'default', index: 0, of: 1 }
  readonly broker = createRedisBroker({
    connection: { url: testRedisUrl() },
    prefix: this.prefix,
    commandTimeout: 5000,
    allowEviction: false,
    log: this.log,
  })
  #made = 0

  static async open(): Promise<WorkerStage> {
    const stage = new WorkerStage()
    await stage.broker.open()
    onTestFinished(() => stage.broker.close())
    return stage
  }

  /** Started, and stopped when the test has finished. */
  start(parts: WorkerParts): QueueWorker {
    const { lease = 10_000, concurrency = 5, between = (broker: Broker) => broker } = parts
    const definition = defineTask({ type: 'job', payload: z.unknown(), handle: parts.handle })
    const retry = { attempts: 3, backoff: 'fixed', delay: 10, maxDelay: 10, jitter: 0 } as const
    const job = { definition, queue: 'default', retry, timeout: 60_000, deadLetter: 'dead' }
    const log = () => undefined
    const keeper = this.broker.keeper({ lease, maxBlocked: 0, log })
    const worker = new QueueWorker({
      broker: between(this.broker),
      partition: this.partition,
      concurrency,
      weight: parts.weight ?? 1,
      shares: parts.shares,
      registry: new Map([['job', job]]),
      settings: { lease, shutdownGrace: 200, mismatchGrace: 1000, maxCrashes: 2 },
      retention: { age: 86_400_000, count: 1000 },
      log: this.log,
      counters: this.counters,
      keeper,
      clock: systemClock,
      life: newLife(),
      isolate: parts.isolate,
    })
    worker.start()
    onTestFinished(async () => {
      await worker.stop()
      await keeper.close()
    })
    return worker
  }

  /** A running rescuer, as every worker process has one. */
  startRescuer(lease: number): void {
    const { broker, log, counters, partition } = this
    const service = rescuer({ broker, partitions: [partition], lease, log, counters })
    service.start()
    onTestFinished(() => service.stop())
  }

  async add(payload: unknown = null, parts: Partial<NewTask> = {}): Promise<string> {
    this.#made += 1
    const id = `task-${this.#made}`
    const enqueuedAt = systemClock.now()
    const body = { type: 'job', payload, enqueuedAt, overrides: {}, tags: [] }
    const task = { id, priority: 'normal', deadLetter: 'dead', body, ...parts } as const
    await this.broker.enqueue(this.partition, [task], false)
    return id
  }

  async find(id: string): Promise<StoredTask | undefined> {
    return (await this.broker.find(this.partition, [id]))[0]
  }

  /** The task once it is in this state. */
  async reached(id: string, state: StoredTask['state']): Promise<StoredTask> {
    return until(
      async () => {
        const task = await this.find(id)
        return task?.state === state && task
      },
      { describe: `${id} to be ${state}` },
    )
  }
}

/** A broker whose methods are these where they are given, else the real one's. */
export const changed = (broker: Broker, methods: Partial<Broker>): Broker =>
  new Proxy(broker, {
    get(target, name) {
      const own = Reflect.get(methods, name)
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
