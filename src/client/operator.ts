import type { Broker, Moved, Partition, StoredTask } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import type { LimitsChange } from '../core/limits.js'
import { states } from '../core/state.js'
import type { Task } from '../core/task.js'
import type {
  DeadLetterFilter,
  Directory,
  EventFilter,
  MoveResult,
  OperatorContract,
  Page,
  QueueStatus,
  Replay,
  Stats,
  TaskFilter,
  WorkerStatus,
} from './contract.js'
import { deadLetterKeys, deadLetterTest, type Swept, sweepDeadLetters } from './dead-letters.js'
import type { EventFeed } from './event-feed.js'
import { EventHub } from './event-hub.js'
import { type Found, findEverywhere, partsFor, type QueueParts, queueParts } from './locate.js'
import { type Move, starts } from './moves.js'
import { atQueue, limited, paused } from './queue-moves.js'
import { queueStatus, storeStats } from './queue-status.js'
import { showTasks } from './show.js'
import { Waiters } from './waiters.js'
import { type Walk, walkPage } from './walk.js'
import { workersOf } from './worker-status.js'

const defaultLimit = 50

export interface OperatorOptions {
  readonly broker: Broker
  readonly directory: Directory
  readonly clock: Clock
}

/** An operator's hand over one store: looks tasks up, moves them, and tells how queues are. */
export class Operator implements OperatorContract {
  readonly #broker: Broker
  readonly #directory: Directory
  readonly #clock: Clock
  readonly #waiters: Waiters
  readonly #hub: EventHub

  constructor({ broker, directory, clock }: OperatorOptions) {
    this.#broker = broker
    this.#directory = directory
    this.#clock = clock
    this.#waiters = new Waiters(broker, clock)
    this.#hub = new EventHub(broker)
  }

  async task(id: string, queue?: string): Promise<Task | undefined> {
    const located = await this.#locate(id, queue)
    return located && this.#show(located)
  }

  async waitFor(
    id: string,
    ms: number,
    options: { queue?: string | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Task | undefined> {
    const first = await this.#locate(id, options.queue)
    return first && this.#show(await this.#waiters.wait(first, ms, options.signal))
  }

  tasks(filter: TaskFilter): Promise<Page<Task>> {
    const { type, tag, state } = filter
    const keep = (task: StoredTask) =>
      (type === undefined || task.body.type === type) &&
      (tag === undefined || task.body.tags.includes(tag))
    return this.#page(filter, {
      states: state === undefined ? states : [state],
      ...(type === undefined && tag === undefined ? {} : { keep }),
    })
  }

  cancel(id: string, queue?: string): Promise<MoveResult> {
    return this.#move('cancel', id, queue)
  }

  requeue(id: string, queue?: string): Promise<MoveResult> {
    return this.#move('requeue', id, queue)
  }

  promote(id: string, queue?: string): Promise<MoveResult> {
    return this.#move('promote', id, queue)
  }

  erase(id: string, queue?: string): Promise<MoveResult> {
    return this.#move('erase', id, queue)
  }

  async queues(): Promise<QueueStatus[]> {
    const queues = await this.#parts(undefined)
    return await Promise.all(queues.map((queue) => queueStatus(this.#broker, queue)))
  }

  queue(name: string): Promise<QueueStatus> {
    return atQueue(this.#store, name)
  }

  pause(name: string): Promise<QueueStatus> {
    return atQueue(this.#store, name, paused(true))
  }

  resume(name: string): Promise<QueueStatus> {
    return atQueue(this.#store, name, paused(false))
  }

  limit(name: string, change: LimitsChange): Promise<QueueStatus> {
    return atQueue(this.#store, name, limited(change))
  }

  async deadLetters(): Promise<{ readonly key: string; readonly count: number }[]> {
    return await deadLetterKeys(this.#broker, await this.#partitions(undefined))
  }

  deadLetter(
    key: string,
    filter: DeadLetterFilter & { cursor?: string | undefined; limit?: number | undefined },
  ): Promise<Page<Task>> {
    const filtered = filter.type !== undefined || filter.error !== undefined
    return this.#page(filter, {
      states: ['dead'],
      deadLetter: key,
      ...(filtered ? { keep: deadLetterTest(filter) } : {}),
    })
  }

  async requeueDead(
    key: string,
    filter: DeadLetterFilter,
    onProgress?: (done: number) => void,
  ): Promise<Replay> {
    const { moved, refused } = await this.#sweep('requeue', key, { filter, onProgress })
    return { requeued: moved, skipped: refused }
  }

  async purgeDead(
    key: string,
    filter: DeadLetterFilter,
    onProgress?: (done: number) => void,
  ): Promise<number> {
    return (await this.#sweep('erase', key, { filter, onProgress })).moved
  }

  events({ queue, ...test }: EventFilter, after?: string): Promise<EventFeed> {
    const partitions = async () => partsFor(await this.#parts(queue), test.task)
    return this.#hub.open({ test, after, partitions })
  }

  async workers(): Promise<WorkerStatus[]> {
    const partitions = await this.#partitions(undefined)
    const lists = await Promise.all(partitions.map((part) => workersOf(this.#broker, part)))
    return lists.flat()
  }

  async stats(): Promise<Stats> {
    return await storeStats(this.#broker, await this.#parts(undefined), () => this.#clock.now())
  }

  /** Who waits for a task hears at once how it was last seen, and feeds of events end. */
  async close(): Promise<void> {
    this.#waiters.close()
    this.#hub.close()
  }

  #parts(name: string | undefined): Promise<QueueParts[]> {
    return queueParts(this.#directory, name)
  }

  async #partitions(name: string | undefined): Promise<Partition[]> {
    return (await this.#parts(name)).flatMap(({ parts }) => parts)
  }

  async #findAll(id: string, queue: string | undefined): Promise<Found[]> {
    return await findEverywhere(this.#broker, id, await this.#parts(queue))
  }

  async #locate(id: string, queue: string | undefined): Promise<Found | undefined> {
    const [first] = await this.#findAll(id, queue)
    return first
  }

  async #move(move: Move, id: string, queue: string | undefined): Promise<MoveResult> {
    const all = await this.#findAll(id, queue)
    // Where ids repeat over queues and none is named, the one that can be moved is meant.
    const meant = all.find(({ task }) => starts[move].includes(task.state)) ?? all[0]
    if (meant === undefined) return { ok: false, reason: 'unknown_task' }
    const [moved] = await this.#broker[move](meant.partition, [id])
    return await this.#moved(moved, meant, move)
  }

  async #moved(
    moved: Moved | undefined,
    { partition, task }: Found,
    move: Move,
  ): Promise<MoveResult> {
    if (moved === undefined) return { ok: false, reason: 'unknown_task' }
    if (!moved.ok) return moved
    if (move === 'erase') return { ok: true, from: moved.from, task: undefined }
    const [after] = await this.#broker.find(partition, [task.id])
    return {
      ok: true,
      from: moved.from,
      task: after && (await this.#show({ partition, task: after })),
    }
  }

  async #page(
    filter: { queue?: string | undefined; cursor?: string | undefined; limit?: number | undefined },
    walk: Pick<Walk, 'states' | 'deadLetter' | 'keep'>,
  ): Promise<Page<Task>> {
    const partitions = await this.#partitions(filter.queue)
    const { limit = defaultLimit, cursor } = filter
    const page = await walkPage(this.#broker, { ...walk, partitions, limit, cursor })
    const items = await this.#showAll(page.found)
    return page.cursor === undefined ? { items } : { items, cursor: page.cursor }
  }

  get #store() {
    return { broker: this.#broker, directory: this.#directory }
  }

  #showAll(found: readonly Found[]): Promise<Task[]> {
    return showTasks(this.#store, found)
  }

  async #show(found: Found): Promise<Task> {
    const [task] = await this.#showAll([found])
    if (task === undefined) throw new RedisDistroError('internal', 'a task was lost on its way out')
    return task
  }

  async #sweep(
    move: 'requeue' | 'erase',
    key: string,
    {
      filter,
      onProgress,
    }: { filter: DeadLetterFilter; onProgress?: ((done: number) => void) | undefined },
  ): Promise<Swept> {
    const partitions = await this.#partitions(filter.queue)
    return await sweepDeadLetters(this.#broker, { key, partitions, filter, move, onProgress })
  }
}
