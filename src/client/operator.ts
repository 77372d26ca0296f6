import type { Broker } from '../core/broker.js'
import type { LimitsChange } from '../core/limits.js'
import type { Task } from '../core/task.js'
import type { Job, PurgePreview, Replay } from './bulk-contract.js'
import type {
  DeadLetterFilter,
  EventFilter,
  MoveResult,
  OperatorContract,
  Page,
  QueueStatus,
  Stats,
  TaskFilter,
  WorkerStatus,
} from './contract.js'
import {
  deadLetterKeys,
  deadLetterTest,
  readsRecords,
  type Swept,
  sweepDeadLetters,
  windowOf,
} from './dead-letters.js'
import type { EventFeed } from './event-feed.js'
import { EventHub } from './event-hub.js'
import { JobHand } from './job-hand.js'
import { previewPurge } from './purge-preview.js'
import { QueueHand } from './queue-hand.js'
import { type HandParts, TaskHand } from './task-hand.js'

type OnProgress = (done: number) => void

/**
 * An operator's hand over one store; each call is a line that leads to the room of what it is about:
 * tasks, queues, dead letters, jobs, events.
 */
export class Operator implements OperatorContract {
  readonly #broker: Broker
  readonly #tasks: TaskHand
  readonly #queues: QueueHand
  readonly #jobs: JobHand
  readonly #hub: EventHub

  constructor(parts: HandParts) {
    this.#broker = parts.broker
    this.#tasks = new TaskHand(parts)
    this.#queues = new QueueHand(parts)
    this.#jobs = new JobHand(parts.broker)
    this.#hub = new EventHub(parts.broker)
  }

  task(id: string, queue?: string): Promise<Task | undefined> {
    return this.#tasks.task({ id, queue })
  }

  waitFor(
    id: string,
    ms: number,
    { queue, signal }: { queue?: string | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Task | undefined> {
    return this.#tasks.waitFor({ id, queue }, ms, signal)
  }

  tasks(filter: TaskFilter): Promise<Page<Task>> {
    return this.#tasks.tasks(filter)
  }

  cancel(id: string, queue?: string): Promise<MoveResult> {
    return this.#tasks.move('cancel', { id, queue })
  }

  requeue(id: string, queue?: string): Promise<MoveResult> {
    return this.#tasks.move('requeue', { id, queue })
  }

  promote(id: string, queue?: string): Promise<MoveResult> {
    return this.#tasks.move('promote', { id, queue })
  }

  erase(id: string, queue?: string): Promise<MoveResult> {
    return this.#tasks.move('erase', { id, queue })
  }

  edit(
    id: string,
    payload: unknown,
    { queue, run = false }: { queue?: string | undefined; run?: boolean | undefined } = {},
  ): Promise<MoveResult> {
    return this.#tasks.edit({ id, queue }, payload, run)
  }

  queues(): Promise<QueueStatus[]> {
    return this.#queues.queues()
  }

  queue(name: string): Promise<QueueStatus> {
    return this.#queues.queue(name)
  }

  pause(name: string): Promise<QueueStatus> {
    return this.#queues.setPaused(name, true)
  }

  resume(name: string): Promise<QueueStatus> {
    return this.#queues.setPaused(name, false)
  }

  limit(name: string, change: LimitsChange): Promise<QueueStatus> {
    return this.#queues.limit(name, change)
  }

  async deadLetters(): Promise<{ readonly key: string; readonly count: number }[]> {
    return await deadLetterKeys(this.#broker, await this.#queues.partitions(undefined))
  }

  async deadLetter(
    key: string,
    filter: DeadLetterFilter & Pick<TaskFilter, 'cursor' | 'limit'>,
  ): Promise<Page<Task>> {
    const aged = filter.olderThan !== undefined || filter.newerThan !== undefined
    return await this.#tasks.page(filter, {
      states: ['dead'],
      deadLetter: key,
      ...(readsRecords(filter) ? { keep: deadLetterTest(filter) } : {}),
      ...(aged ? { window: windowOf(filter, await this.#broker.now()) } : {}),
    })
  }

  async requeueDead(
    key: string,
    filter: DeadLetterFilter,
    onProgress?: OnProgress,
  ): Promise<Replay> {
    const { moved, refused } = await this.#sweep('requeue', key, { filter, onProgress })
    return { requeued: moved, skipped: refused }
  }

  async purgeDead(key: string, filter: DeadLetterFilter, onProgress?: OnProgress): Promise<number> {
    return (await this.#sweep('erase', key, { filter, onProgress })).moved
  }

  async previewPurge(key: string, filter: DeadLetterFilter): Promise<PurgePreview> {
    const partitions = await this.#queues.partitions(filter.queue)
    return await previewPurge(this.#broker, { key, partitions, filter })
  }

  async startRequeue(
    key: string,
    filter: DeadLetterFilter,
    rate: string | undefined,
  ): Promise<Job> {
    // An unknown queue is told now, and not by the job.
    await this.#queues.partitions(filter.queue)
    return await this.#jobs.startRequeue(key, filter, rate)
  }

  jobs(): Promise<Job[]> {
    return this.#jobs.jobs()
  }

  job(id: string): Promise<Job | undefined> {
    return this.#jobs.job(id)
  }

  stopJob(id: string): Promise<Job | undefined> {
    return this.#jobs.stopJob(id)
  }

  events({ queue, ...test }: EventFilter, after?: string): Promise<EventFeed> {
    const partitions = () => this.#queues.partitions(queue, test.task)
    return this.#hub.open({ test, after, partitions })
  }

  workers(): Promise<WorkerStatus[]> {
    return this.#queues.workers()
  }

  stats(): Promise<Stats> {
    return this.#queues.stats()
  }

  /** Who waits for a task hears at once how it was last seen, and feeds of events end. */
  async close(): Promise<void> {
    this.#tasks.close()
    this.#hub.close()
  }

  async #sweep(
    move: 'requeue' | 'erase',
    key: string,
    meant: { readonly filter: DeadLetterFilter; readonly onProgress?: OnProgress | undefined },
  ): Promise<Swept> {
    const partitions = await this.#queues.partitions(meant.filter.queue)
    return await sweepDeadLetters(this.#broker, { ...meant, key, partitions, move })
  }
}
