import type { EndedState, State } from './state.js'
import type { AttemptRecord, Priority, TaskBody, TaskError } from './task.js'

/** One part of a queue: all of its keys share a hash tag, so that nothing of a task spans two. */
export interface Partition {
  readonly queue: string
  /** 0 to `of` - 1. */
  readonly index: number
  readonly of: number
}

/** A task on its way in. Ids are made by the client, before the first send. */
export interface NewTask {
  readonly id: string
  readonly priority: Priority
  readonly body: TaskBody
  readonly deadLetter: string
  /** `at` is an instant, `in` a duration that Redis's own clock counts; both ms. */
  readonly due?: { readonly at: number } | { readonly in: number }
  /** Fingerprint of the payload, for ids that the caller chose; remembered after the end. */
  readonly fingerprint?: string
  readonly expiresIn?: number
  readonly unique?: { readonly key: string; readonly for?: number }
}

/** What became of one task of an enqueue; on a duplicate, `id` is the first task's. */
export interface Enqueued {
  readonly id: string
  readonly state: State
  readonly duplicate: boolean
  /** True where the first task of this id has another payload; nothing was written. */
  readonly differs: boolean
  /** When it is due, in ms, where it is scheduled. */
  readonly dueAt?: number
}

/** A task under a lease, as a worker holds it. */
export interface LeasedTask {
  readonly id: string
  /** Grows with every lease; a decimal number of at most 16 digits. */
  readonly fence: string
  /** ms, by Redis's clock. */
  readonly leasedAt: number
  readonly priority: Priority
  readonly body: TaskBody
  readonly deadLetter: string
  readonly uniqueKey?: string
  readonly flags: TaskFlags
  /** Runs that failed before this one. */
  readonly failures: number
  /** Leases lost while it was held. */
  readonly losses: number
  /** Deaths of a process that ran it alone. */
  readonly deaths: number
  /** Since when workers have not known its type or payload, in ms; 0 if never. */
  readonly mismatchSince: number
  /** Why its record cannot be read, where it cannot; it is to be buried. */
  readonly broken?: string
}

export interface TaskFlags {
  readonly own: boolean
  readonly expires: boolean
  /** `held`: until the task ends. `timed`: until its time is over. */
  readonly unique: 'none' | 'held' | 'timed'
}

/** What a worker says of a task it holds. Times in ms by Redis's clock. */
export interface Settlement {
  readonly task: LeasedTask
  readonly startedAt: number
  readonly endedAt: number
  /** True where progress was stored, so that it is cleared. */
  readonly progressed: boolean
  readonly outcome: SettledOutcome
}

export type SettledOutcome =
  | { readonly name: 'complete'; readonly result: unknown }
  | { readonly name: 'retry'; readonly after: number; readonly error: TaskError }
  | { readonly name: 'bury'; readonly error: TaskError }
  /** Given back unspent: to its old place, or set aside for `after` ms where no worker knows it. */
  | { readonly name: 'release'; readonly after?: number }
  /** The process that ran it alone died; at `maxDeaths` it is buried with `error`. */
  | { readonly name: 'crash'; readonly maxDeaths: number; readonly error: TaskError }

export interface CycleCall {
  readonly worker: string
  readonly settled: readonly Settlement[]
  readonly wanted: number
  /** Also move what is due. */
  readonly promote: boolean
  readonly retention: RetentionLimit
}

export interface RetentionLimit {
  /** ms; an ended task older than this goes. */
  readonly age: number
  /** An ended task beyond this many goes, the oldest first; 0 keeps nothing. */
  readonly count: number
}

export type Retention = Readonly<Record<EndedState, RetentionLimit>>

export type CycleReply =
  /** The lease is lost: nothing was settled, changed or leased. */
  | { readonly lost: true }
  | {
      readonly lost: false
      /** Redis's time in ms. */
      readonly now: number
      readonly leased: readonly LeasedTask[]
      /** Ids whose settlement was refused since the task is no longer held. */
      readonly refused: readonly string[]
      /** The earliest due time in ms, looked up only when there was room left. */
      readonly nextDue?: number
      readonly paused: boolean
    }

/** What a worker tells of itself, for operators. */
export interface WorkerDetails {
  readonly host: string
  readonly pid: number
  readonly concurrency: number
  /** ms. */
  readonly startedAt: number
}

export interface WorkerRecord extends WorkerDetails {
  readonly worker: string
  /** ms; a lease past this may be rescued. */
  readonly leaseUntil: number
  readonly running: readonly string[]
}

/** A task as it lies in the store; times in ms. */
export interface StoredTask {
  readonly id: string
  readonly state: State
  readonly priority: Priority
  readonly body: TaskBody
  readonly deadLetter: string
  readonly attempts: readonly AttemptRecord[]
  readonly failures: number
  readonly losses: number
  readonly mismatchSince: number
  readonly dueAt?: number
  readonly startedAt?: number
  readonly endedAt?: number
  /** Attempt that completed it. */
  readonly completedAttempt?: number
  readonly worker?: string
  readonly fence?: string
  readonly result?: unknown
  readonly progress?: unknown
  /** Place in line from 0, where it is waiting. */
  readonly position?: number
}

/** Why a move did not happen; a value, since callers must face it. */
export type Refusal =
  | { readonly ok: false; readonly reason: 'unknown_task' }
  | { readonly ok: false; readonly reason: 'wrong_state'; readonly state: State }

export type Moved = { readonly ok: true; readonly from: State } | Refusal

export interface PartitionCounts {
  readonly depth: Readonly<Record<State, number>>
  readonly paused: boolean
  /** Age in ms of the first in line's enqueue; undefined where none waits. */
  readonly oldestWaiting?: number
  readonly workers: number
  /** Redis's time in ms. */
  readonly now: number
}

/** Counters of one minute. Sums of ms are over tasks that completed. */
export interface MinuteCounts {
  readonly enqueued: number
  readonly completed: number
  readonly retried: number
  readonly dead: number
  readonly cancelled: number
  readonly lost: number
  readonly runMs: number
  readonly waitMs: number
}

export interface PartitionStats {
  /** Since the store began. */
  readonly total: MinuteCounts
  /** Newest last; `minute` in whole minutes since the epoch. */
  readonly minutes: readonly (MinuteCounts & { readonly minute: number })[]
}

export interface ListCall {
  readonly state: State
  /** Of a dead-letter key alone, where `state` is 'dead'. */
  readonly deadLetter?: string
  readonly limit: number
  /** What the page before returned as `next`. */
  readonly after?: string
}

export interface ListPage {
  readonly tasks: readonly StoredTask[]
  readonly next?: string
}

export interface RescueReply {
  readonly workers: readonly string[]
  readonly rescued: number
  readonly buried: number
}

export interface PruneReply {
  readonly completed: number
  readonly dead: number
  readonly cancelled: number
  readonly expired: number
}

/** One type as kernels publish it for clients that have no config. */
export interface CatalogueType {
  readonly type: string
  readonly queue: string
  readonly partitions: number
  readonly deadLetter: string
  readonly tz: string
  /** JSON Schema of the payload's input. */
  readonly schema: unknown
}

export interface CatalogueQueue {
  readonly queue: string
  readonly partitions: number
}

export interface Catalogue {
  readonly types: readonly CatalogueType[]
  readonly queues: readonly CatalogueQueue[]
}

/** Keeps a process's leases alive and tells what it hears. */
export interface LeaseKeeper {
  hold(lease: HeldLease): void
  drop(worker: string): void
  close(): Promise<void>
}

export interface HeldLease {
  readonly partition: Partition
  readonly worker: string
  /** Called once, when the lease was found lost. */
  onLost(): void
  /** Called with ids whose runs are to be stopped, since they were cancelled. */
  onStop(ids: readonly string[]): void
}

export interface KeeperOptions {
  /** ms. */
  readonly lease: number
  /** ms that the event loop may stand still before the process is ended; 0 for never. */
  readonly maxBlocked: number
  log(message: string, fields: Record<string, unknown>): void
}

/**
 * What stores and moves tasks. Every method is one atomic script for a partition unless it says
 * otherwise, settles within its deadline, and throws only RedisDistroError of the infrastructure
 * family: `store_away` (nothing written), `store_unknown` (perhaps), `store_full`.
 */
export interface Broker {
  /** Says where the tasks are, without secrets: `redis 7.0.15 at 127.0.0.1:6379`. */
  readonly says: string
  /** False for the in-process store: no second process, no forked children, lease on the loop. */
  readonly shared: boolean
  /** Connects and checks the server (version, eviction policy); throws `unsafe_redis`. */
  open(): Promise<void>
  close(): Promise<void>
  /** Redis's time in ms. */
  now(): Promise<number>

  /** `repeat`: this call may have been sent before, so every id is looked up first. */
  enqueue(partition: Partition, tasks: readonly NewTask[], repeat: boolean): Promise<Enqueued[]>
  cycle(partition: Partition, call: CycleCall): Promise<CycleReply>
  /** Blocks until a wake-up mark or `ms` have passed; not a script. */
  wait(partition: Partition, ms: number, signal: AbortSignal): Promise<void>

  /** Takes a lease of `lease` ms under a name never used before. */
  join(partition: Partition, worker: string, lease: number, details: WorkerDetails): Promise<void>
  /** Gives back unspent whatever is held, and ends the lease. */
  leave(partition: Partition, worker: string): Promise<void>
  /** Ids and fences that Redis holds for this worker, to find what a lost answer leased. */
  held(partition: Partition, worker: string): Promise<{ id: string; fence: string }[]>
  /** Gives back tasks by id and fence alone (a lost answer's). */
  giveBack(
    partition: Partition,
    worker: string,
    tasks: { id: string; fence: string }[],
  ): Promise<void>
  /** Kept while the task is held under its fence; after that it changes nothing. */
  progress(partition: Partition, worker: string, task: LeasedTask, value: unknown): Promise<void>
  keeper(options: KeeperOptions): LeaseKeeper

  /** Tasks of dead workers go back; a few calls, in chunks. `lease` in ms. */
  rescue(partition: Partition, lease: number): Promise<RescueReply>
  /** Retention and expiry; a few calls, in chunks. */
  prune(partition: Partition, retention: Retention): Promise<PruneReply>

  find(partition: Partition, ids: readonly string[]): Promise<(StoredTask | undefined)[]>
  list(partition: Partition, call: ListCall): Promise<ListPage>
  cancel(partition: Partition, ids: readonly string[]): Promise<Moved[]>
  requeue(partition: Partition, ids: readonly string[]): Promise<Moved[]>
  promote(partition: Partition, ids: readonly string[]): Promise<Moved[]>
  erase(partition: Partition, ids: readonly string[]): Promise<Moved[]>
  pause(partition: Partition, paused: boolean): Promise<void>

  counts(partition: Partition): Promise<PartitionCounts>
  /** `minutes` back from now. */
  stats(partition: Partition, minutes: number): Promise<PartitionStats>
  workers(partition: Partition): Promise<WorkerRecord[]>
  deadLetters(partition: Partition): Promise<{ key: string; count: number }[]>

  publish(catalogue: Catalogue): Promise<void>
  catalogue(): Promise<Catalogue>
}
