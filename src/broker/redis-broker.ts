import type {
  Broker,
  Catalogue,
  CycleCall,
  DeadSpanCall,
  Edit,
  JobOrder,
  JobRecord,
  KeeperOptions,
  KeepJob,
  Layout,
  LeasedTask,
  LeaseKeeper,
  ListCall,
  NewTask,
  Partition,
  Retention,
  WorkerDetails,
} from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import type { EventRange } from '../core/event.js'
import type { Life } from '../core/life.js'
import type { LimitsChange, QueueLimits } from '../core/limits.js'
import type { ScheduleStore } from '../core/schedule-store.js'
import { type Engine, runScript, type ScriptEngine } from './arguments.js'
import { forgetLayout, publishCatalogue, readCatalogue, readLayouts } from './catalogue.js'
import { confirmIds } from './confirm.js'
import { DurableStore } from './durable-store.js'
import * as events from './events.js'
import type { BrokerOptions } from './index.js'
import * as jobs from './jobs.js'
import { LoopKeeper } from './keeper/loop-keeper.js'
import { ThreadKeeper } from './keeper/thread-keeper.js'
import { partitionKeys } from './keys.js'
import { changeLimits, sayLimits } from './limits.js'
import { MemoryStore } from './memory-store.js'
import { enqueueTasks, giveBackTasks, runCycle } from './movement.js'
import { editTask, moveTasks } from './moves.js'
import * as queries from './queries.js'
import { RedisStore } from './redis-store.js'
import { createScheduleStore } from './schedules/store.js'
import * as scripts from './scripts.js'
import { holders, pruneTasks, rescueTasks } from './upkeep.js'

/**
 * The broker for Redis: it moves tasks in batches through one script a call. Each method is a line
 * that leads to the room where it is done: movement (enqueue, cycle), upkeep (rescue, prune) and
 * queries. It has one state of its own, the store's connection, and beside it those of enqueues that
 * wait for more than the server's answer.
 */
class RedisBroker implements Broker {
  readonly schedules: ScheduleStore
  readonly #engine: Engine
  readonly #options: BrokerOptions
  readonly #durable: DurableStore | undefined
  /** Where tasks are enqueued. */
  readonly #enqueuing: ScriptEngine

  constructor(options: BrokerOptions) {
    this.#options = options
    const memory = 'memory' in options.connection
    const store =
      'memory' in options.connection
        ? new MemoryStore(options.connection.memory)
        : new RedisStore(options)
    const clock = options.clock ?? (memory ? systemClock : undefined)
    this.#engine = {
      store,
      prefix: options.prefix,
      now: () => (clock ? Math.floor(clock.now()) : ''),
    }
    this.schedules = createScheduleStore(this.#engine)
    const { durability } = options
    this.#durable = durability && new DurableStore({ ...options, durability }, store)
    this.#enqueuing = this.#durable ? { ...this.#engine, store: this.#durable } : this.#engine
  }

  get says() {
    return this.#engine.store.says
  }
  get shared() {
    return this.#engine.store.shared
  }
  async open() {
    await Promise.all([this.#engine.store.open(), this.#durable?.open()])
  }
  close() {
    this.#durable?.close()
    return this.#engine.store.close()
  }
  async now() {
    const given = this.#engine.now()
    return given === '' ? this.#engine.store.time() : given
  }

  enqueue(partition: Partition, tasks: readonly NewTask[], repeat: boolean) {
    return enqueueTasks(this.#enqueuing, partition, { tasks, repeat })
  }
  cycle(partition: Partition, call: CycleCall) {
    return runCycle(this.#engine, partition, call)
  }
  wait(partition: Partition, ms: number, signal: AbortSignal) {
    return this.#engine.store.block(partitionKeys(this.#engine.prefix, partition).wake, ms, signal)
  }

  async join(partition: Partition, worker: string, lease: number, details: WorkerDetails) {
    const named = { worker, lease, about: JSON.stringify(details) }
    await runScript(this.#engine, { script: scripts.joinScript, partition, named })
  }
  async leave(partition: Partition, worker: string) {
    this.#engine.store.release(partitionKeys(this.#engine.prefix, partition).wake)
    const tasks = await this.held(partition, worker)
    await this.giveBack(partition, worker, tasks)
    await runScript(this.#engine, {
      script: scripts.leaveScript,
      partition,
      named: { worker },
    })
  }
  async held(partition: Partition, worker: string) {
    const found: { id: string; fence: string }[] = []
    for await (const page of holders(this.#engine, partition, (name) => name === worker)) {
      for (const { id, holder } of page) found.push({ id, fence: holder.slice(0, 16) })
    }
    return found
  }
  giveBack(partition: Partition, worker: string, tasks: { id: string; fence: string }[]) {
    return giveBackTasks(this.#engine, partition, { worker, tasks })
  }
  async progress(partition: Partition, worker: string, task: LeasedTask, value: unknown) {
    const { id, fence } = task
    const named = { worker, id, fence, value: JSON.stringify(value) ?? 'null' }
    await runScript(this.#engine, { script: scripts.progressScript, partition, named })
  }
  keeper(options: KeeperOptions): LeaseKeeper {
    const parts = { engine: this.#engine, connection: this.#options.connection }
    return this.shared ? new ThreadKeeper(options, parts) : new LoopKeeper(options, parts.engine)
  }

  rescue(partition: Partition, lease: number, gone: readonly Life[] = []) {
    return rescueTasks(this.#engine, partition, { lease, gone })
  }
  prune(partition: Partition, retention: Retention) {
    return pruneTasks(this.#engine, partition, retention)
  }

  find(partition: Partition, ids: readonly string[]) {
    return queries.findTasks(this.#engine, partition, ids)
  }
  remembered(partition: Partition, ids: readonly string[]) {
    return queries.recallIds(this.#engine, partition, ids)
  }
  async confirm(partition: Partition, ids: readonly string[]) {
    if (this.#durable) await confirmIds(this.#enqueuing, partition, ids)
  }
  list(partition: Partition, call: ListCall) {
    return queries.listTasks(this.#engine, partition, call)
  }
  cancel(partition: Partition, ids: readonly string[]) {
    return moveTasks(this.#engine, partition, { script: scripts.cancelScript, ids })
  }
  requeue(partition: Partition, ids: readonly string[], diedBy?: number) {
    return moveTasks(this.#engine, partition, { script: scripts.requeueScript, ids, diedBy })
  }
  promote(partition: Partition, ids: readonly string[]) {
    return moveTasks(this.#engine, partition, { script: scripts.promoteScript, ids })
  }
  erase(partition: Partition, ids: readonly string[], diedBy?: number) {
    return moveTasks(this.#engine, partition, { script: scripts.eraseScript, ids, diedBy })
  }
  edit(partition: Partition, edit: Edit) {
    return editTask(this.#engine, partition, edit)
  }
  async pause(partition: Partition, paused: boolean) {
    const named = { paused: paused ? 1 : 0 }
    await runScript(this.#engine, { script: scripts.pauseScript, partition, named })
  }
  limit(partition: Partition, change: LimitsChange) {
    return changeLimits(this.#engine, partition, change)
  }
  sayLimits(partition: Partition, limits: QueueLimits) {
    return sayLimits(this.#engine, partition, limits)
  }

  listen(partition: Partition, ms: number) {
    return events.listenTo(this.#engine, partition, ms)
  }
  told(partition: Partition, range: EventRange) {
    return events.readTold(this.#engine, partition, range)
  }
  async laneOf(partition: Partition) {
    return events.laneOf(this.#engine, partition)
  }
  follow(after: ReadonlyMap<Partition, string>, ms: number, signal: AbortSignal) {
    return events.followTold(this.#engine, after, { ms, signal })
  }

  counts(partition: Partition) {
    return queries.countTasks(this.#engine, partition)
  }
  stats(partition: Partition, minutes: number) {
    return queries.readStats(this.#engine, partition, minutes)
  }
  workers(partition: Partition) {
    return queries.readWorkers(this.#engine, partition)
  }
  deadLetters(partition: Partition) {
    return queries.readDeadLetters(this.#engine, partition)
  }
  deadSpan(partition: Partition, call: DeadSpanCall) {
    return queries.readDeadSpan(this.#engine, partition, call)
  }

  addJob(order: JobOrder) {
    return jobs.addJob(this.#engine, order)
  }
  jobs() {
    return jobs.readJobs(this.#engine)
  }
  takeJob(holder: string, lease: number) {
    return jobs.takeJob(this.#engine, holder, lease)
  }
  keepJob(job: JobRecord, call: KeepJob) {
    return jobs.keepJob(this.#engine, job, call)
  }
  stopJob(id: string) {
    return jobs.stopJob(this.#engine, id)
  }

  publish(catalogue: Catalogue) {
    return publishCatalogue(this.#engine, catalogue)
  }
  catalogue() {
    return readCatalogue(this.#engine)
  }
  layouts() {
    return readLayouts(this.#engine)
  }
  forgetLayout(layout: Layout) {
    return forgetLayout(this.#engine, layout)
  }
}

/** A broker for the server that `options` name, or for the in-process store. */
export const createRedisBroker = (options: BrokerOptions): Broker => new RedisBroker(options)
