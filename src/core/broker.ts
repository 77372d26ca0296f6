import type { EventBroker } from './event.js'
import type { JobStore } from './job.js'
import type { KeeperOptions, LeaseKeeper } from './lease-keeper.js'
import type { Life } from './life.js'
import type { LimitsChange, QueueLimits } from './limits.js'
import type { Partition } from './partition.js'
import type { ScheduleStore } from './schedule-store.js'
import type { EndedState, State } from './state.js'
import type {
  Catalogue,
  DeadSpan,
  DeadSpanCall,
  Edit,
  Layout,
  ListCall,
  ListPage,
  Moved,
  PartitionCounts,
  PartitionStats,
  PruneReply,
  PublishedCatalogue,
  Remembered,
  RescueReply,
  SaidLimits,
  StoredTask,
  WorkerDetails,
  WorkerRecord,
} from './stored.js'
import type { Priority, TaskBody, TaskError } from './task.js'

export type * from './job.js'
export type * from './lease-keeper.js'
export type * from './partition.js'
export type * from './stored.js'

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
  readonly uniqueKey?: string | undefined
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
  readonly broken?: string | undefined
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
  /** True where progress was stored: a completed task keeps it, one that will run again does not. */
  readonly progressed: boolean
  readonly outcome: SettledOutcome
}

export type SettledOutcome =
  | { readonly name: 'complete'; readonly result: unknown }
  | { readonly name: 'retry'; readonly after: number; readonly error: TaskError }
  | { readonly name: 'bury'; readonly error: TaskError }
  /**
   * Given back unspent: to its old place, or set aside for `after` ms where no worker knows it. Where
   * its handler had `begun`, that was a start in the sense of a queue's rate.
   */
  | { readonly name: 'release'; readonly after?: number; readonly begun?: true }
  /** The process that ran it alone died; at `maxDeaths` it is buried with `error`. */
  | { readonly name: 'crash'; readonly maxDeaths: number; readonly error: TaskError }
  /** No process could be started to run it alone: a loss like any other, the last of them buries. */
  | { readonly name: 'lose'; readonly maxLosses: number; readonly error: TaskError }

export interface CycleCall {
  readonly worker: string
  /** At most 1000. */
  readonly settled: readonly Settlement[]
  /** No more than 1000 are leased, whatever is wanted. */
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
      /** The earliest due time in ms, or when a rate lets the next task start, where there was room left. */
      readonly nextDue?: number
      readonly paused: boolean
      /** True where a rate or maxActive holds: what is leased is to start at once. */
      readonly limited?: true
    }

/**
 * What stores and moves tasks. Every method is one atomic script for a partition unless it says
 * otherwise, settles within its deadline, and throws only RedisDistroError of the infrastructure
 * family: `store_away` (nothing written), `store_unknown` (perhaps), `store_full`.
 */
export interface Broker extends EventBroker, JobStore {
  /** Says where the tasks are, without secrets: `redis 7.0.15 at 127.0.0.1:6379`. */
  readonly says: string
  /** False for the in-process store: no second process, no forked children, lease on the loop. */
  readonly shared: boolean
  /** What enqueues tasks again and again. */
  readonly schedules: ScheduleStore
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
  /** Gives back unspent whatever is held, and ends the lease. What `wait` took goes too. */
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

  /**
   * Tasks of dead workers go back; a few calls, in chunks. `lease` in ms. Workers of the processes
   * `gone`, by their lives, are dead whatever their lease.
   */
  rescue(partition: Partition, lease: number, gone?: readonly Life[]): Promise<RescueReply>
  /** Retention and expiry; a few calls, in chunks. */
  prune(partition: Partition, retention: Retention): Promise<PruneReply>

  find(partition: Partition, ids: readonly string[]): Promise<(StoredTask | undefined)[]>
  /** Of every id that a task has, or had and a caller chose; undefined for one never seen. */
  remembered(partition: Partition, ids: readonly string[]): Promise<(Remembered | undefined)[]>
  /**
   * Settles once what these ids were used for is as durable as enqueues are asked to be; at once where
   * the server's answer is all that is asked. Throws `store_unknown` where that was not confirmed.
   */
  confirm(partition: Partition, ids: readonly string[]): Promise<void>
  list(partition: Partition, call: ListCall): Promise<ListPage>
  cancel(partition: Partition, ids: readonly string[]): Promise<Moved[]>
  /**
   * `diedBy`: only dead letters, and of those only who died then or before, in ms; the others are
   * refused as `wrong_state`.
   */
  requeue(partition: Partition, ids: readonly string[], diedBy?: number): Promise<Moved[]>
  promote(partition: Partition, ids: readonly string[]): Promise<Moved[]>
  /** `diedBy` as for a requeue. */
  erase(partition: Partition, ids: readonly string[], diedBy?: number): Promise<Moved[]>
  /** Another payload for a task that does not run, and, with `run`, the move that lets it run now. */
  edit(partition: Partition, edit: Edit): Promise<Moved>
  pause(partition: Partition, paused: boolean): Promise<void>
  /** By a person; holds until it is changed again. Rates as `rateSchema` gives them. */
  limit(partition: Partition, change: LimitsChange): Promise<void>
  /** By a config; changes something only where the config says something new. */
  sayLimits(partition: Partition, limits: QueueLimits): Promise<SaidLimits>

  counts(partition: Partition): Promise<PartitionCounts>
  /** `minutes` back from now. */
  stats(partition: Partition, minutes: number): Promise<PartitionStats>
  workers(partition: Partition): Promise<WorkerRecord[]>
  deadLetters(partition: Partition): Promise<{ key: string; count: number }[]>
  /** How many lie under a key, of those that died at `from` or later and at `to` or before. */
  deadSpan(partition: Partition, call: DeadSpanCall): Promise<DeadSpan>

  publish(catalogue: Catalogue): Promise<void>
  catalogue(): Promise<PublishedCatalogue>
  /** Every number of partitions that a queue has, or had and is not forgotten. */
  layouts(): Promise<readonly Layout[]>
  /** Of a layout that nothing lies by any more; it is back when a kernel publishes it again. */
  forgetLayout(layout: Layout): Promise<void>
}
