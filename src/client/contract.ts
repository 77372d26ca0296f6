import type { Counts } from '../core/counts.js'
import type { EnqueuedTask, MoveResult } from '../core/enqueuer.js'
import type { Issue } from '../core/errors.js'
import type { DeadLetterFilter } from '../core/job.js'
import type { LimitsChange, QueueLimits } from '../core/limits.js'
import type { State } from '../core/state.js'
import type { Task } from '../core/task.js'
import type { Job, PurgePreview, Replay } from './bulk-contract.js'
import type { EventFeed } from './event-feed.js'

export type { EnqueuedTask, MoveResult } from '../core/enqueuer.js'
export type { DeadLetterFilter } from '../core/job.js'

/** What a payload check says; `issues` have paths in dotted form. */
export type Checked = { readonly ok: true } | { readonly ok: false; readonly issues: Issue[] }

/** A task type as an enqueuer must know it, whether from the config or from the catalogue. */
export interface TypeEntry {
  readonly type: string
  /** The queue's real name (QUEUE_KEY applied). */
  readonly queue: string
  readonly deadLetter: string
  /** Zone that its text times are read in where the caller names none. */
  readonly tz: string
  /** Names of the payload's own top-level fields; `runAt` in it is then the payload's. */
  readonly fields: ReadonlySet<string>
  /** JSON Schema of the payload's input. */
  readonly schema: unknown
  check(payload: unknown): Checked | Promise<Checked>
}

/** A type as a directory knows it: with what placing and describing its tasks needs. */
export interface DirectoryEntry extends TypeEntry {
  /** Parts of its queue. */
  readonly partitions: number
  /** Runs at most, where the directory knows the policy. */
  readonly attempts?: number | undefined
}

/** A queue by its real name, with its number of partitions. */
export interface KnownQueue {
  readonly queue: string
  readonly partitions: number
  /** Other numbers that its tasks may still lie by. */
  readonly former: readonly number[]
}

/** Where enqueuers look types and queues up: the config's registry, or the catalogue in Redis. */
export interface Directory {
  /** undefined where the type is not known. */
  type(name: string): Promise<DirectoryEntry | undefined>
  /** Whether this process or any kernel knows a type. */
  published(name: string): Promise<boolean>
  /** What is known of a type here and now, without asking; undefined where that may be out of date. */
  known(name: string): DirectoryEntry | undefined
  typeNames(): Promise<readonly string[]>
  /** By real name; also queues that have left the config. */
  queues(): Promise<readonly KnownQueue[]>
  /** Other numbers of partitions that tasks of this queue may still lie by; most often none. */
  former(queue: string): Promise<readonly number[]>
  /** The real name that `name` means: QUEUE_KEY's for 'default'. */
  realName(queue: string): string
}

/** A page of a list; `cursor` is absent on the last. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor?: string
}

export interface TaskFilter {
  readonly state?: State | undefined
  readonly type?: string | undefined
  readonly queue?: string | undefined
  readonly tag?: string | undefined
  readonly cursor?: string | undefined
  /** 1 to 1000; 50 if left out. */
  readonly limit?: number | undefined
}

export interface EventFilter {
  readonly queue?: string | undefined
  readonly type?: string | undefined
  /** The id of one task. */
  readonly task?: string | undefined
}

export interface QueueStatus {
  readonly name: string
  readonly paused: boolean
  readonly partitions: number
  readonly depth: Readonly<Record<State, number>>
  /** ms; null where none waits. */
  readonly oldestWaitingAge: number | null
  /** Tasks a second over the last whole minute. */
  readonly throughput: {
    readonly enqueued: number
    readonly completed: number
    readonly failed: number
  }
  readonly workers: number
  readonly limits: LimitsStatus
}

/** The limits of a queue that hold; empty where there are none. */
export interface LimitsStatus extends QueueLimits {
  /** True where they were set at run time and the config says something else, which is `config`. */
  readonly differs?: true
  readonly config?: QueueLimits
}

export interface WorkerStatus {
  readonly id: string
  readonly queue: string
  readonly host: string
  readonly pid: number
  readonly concurrency: number
  readonly startedAt: string
  readonly leaseUntil: string
  /** Ids of the tasks it holds, claimed ahead included; at most 1000. */
  readonly running: readonly string[]
}

export interface Stats {
  readonly at: string
  /** Over all queues. */
  readonly depth: Readonly<Record<State, number>>
  readonly workers: number
  /** Since the store began · last whole minute, last hour. */
  readonly total: Counts
  readonly lastMinute: Counts
  readonly lastHour: Counts
  /** Tasks a second over the last whole minute. */
  readonly rates: { readonly enqueued: number; readonly completed: number; readonly failed: number }
  /** Means in ms over the last hour, of tasks that completed; null where none did. */
  readonly latencies: { readonly wait: number | null; readonly run: number | null }
  readonly queues: readonly QueueStatus[]
}

/** The enqueuer, as the kernel and `createClient` hand it out. */
export interface EnqueueEntry {
  readonly type: string
  readonly payload: unknown
  /** As callers write them; checked here. */
  readonly options?: Readonly<Record<string, unknown>> | undefined
  /** What whoever took it in found wrong; then that is told of it, and nothing else is looked at. */
  readonly issues?: readonly Issue[] | undefined
}

/** How a batch of entries is known again. */
export interface BatchOptions {
  readonly idempotencyKey?: string | undefined
  /** The one type that the key speaks of; left out, it speaks of batches of any types. */
  readonly type?: string | undefined
}

/** What an enqueuer offers. Errors are RedisDistroError: `unknown_type`, `bad_payload`, `bad_option`,
 * `bad_time`, `payload_differs`, `store_away`, `store_unknown`, `store_full`, `closed`. */
export interface Enqueuer {
  enqueue(
    type: string,
    payload: unknown,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<EnqueuedTask>
  /** One type, many payloads; all are checked before any is written; issue paths begin with the index. */
  enqueueMany(
    type: string,
    payloads: readonly unknown[],
    options?: Readonly<Record<string, unknown>>,
  ): Promise<EnqueuedTask[]>
  /** Mixed types; the same. With `idempotencyKey` the ids are the key's hash with `.n`. */
  enqueueAll(entries: readonly EnqueueEntry[], batch?: BatchOptions): Promise<EnqueuedTask[]>
  /** The entry of a type; throws `unknown_type` whose message names the known ones. */
  type(name: string): Promise<TypeEntry>
  /** Every type that is known. */
  types(): Promise<TypeEntry[]>
  close(): Promise<void>
}

/** An operator's whole hand over one store. Names of queues may be 'default'. Unknown queue names
 * throw `unknown_queue`; a bad cursor `bad_option`. */
export interface OperatorContract {
  task(id: string, queue?: string): Promise<Task | undefined>
  /** Waits until the task has ended or `ms` have passed; the state then reached. */
  waitFor(
    id: string,
    ms: number,
    options?: { queue?: string | undefined; signal?: AbortSignal | undefined },
  ): Promise<Task | undefined>
  tasks(filter: TaskFilter): Promise<Page<Task>>
  cancel(id: string, queue?: string): Promise<MoveResult>
  requeue(id: string, queue?: string): Promise<MoveResult>
  promote(id: string, queue?: string): Promise<MoveResult>
  erase(id: string, queue?: string): Promise<MoveResult>
  /**
   * Another payload for a task that does not run: scheduled, retryable, dead or cancelled. With `run`
   * it also runs now. Throws `bad_payload` or `unknown_type`; nothing is written then.
   */
  edit(
    id: string,
    payload: unknown,
    options?: { queue?: string | undefined; run?: boolean | undefined },
  ): Promise<MoveResult>
  queues(): Promise<QueueStatus[]>
  queue(name: string): Promise<QueueStatus>
  pause(name: string): Promise<QueueStatus>
  resume(name: string): Promise<QueueStatus>
  /** What is left out stays, null takes a limit away; `bad_option` for what is no limit. */
  limit(name: string, change: LimitsChange): Promise<QueueStatus>
  deadLetters(): Promise<{ readonly key: string; readonly count: number }[]>
  deadLetter(
    key: string,
    filter: DeadLetterFilter & { cursor?: string | undefined; limit?: number | undefined },
  ): Promise<Page<Task>>
  /** Chunk by chunk; `onProgress` gets the number done so far. */
  requeueDead(
    key: string,
    filter: DeadLetterFilter,
    onProgress?: (done: number) => void,
  ): Promise<Replay>
  /** The same; returns how many. */
  purgeDead(
    key: string,
    filter: DeadLetterFilter,
    onProgress?: (done: number) => void,
  ): Promise<number>
  /**
   * Tells of moves as they happen, from now on, or from where an earlier feed stopped: `after` is its
   * cursor. Whoever opens one closes it. A cursor that is none is `bad_option`.
   */
  events(filter: EventFilter, after?: string): Promise<EventFeed>
  /** What the same purge would take now. */
  previewPurge(key: string, filter: DeadLetterFilter): Promise<PurgePreview>
  /** As a job that kernels do; `rate` as in '50/s', else as fast as it goes. */
  startRequeue(key: string, filter: DeadLetterFilter, rate: string | undefined): Promise<Job>
  /** The last hundred, the newest first. */
  jobs(): Promise<Job[]>
  job(id: string): Promise<Job | undefined>
  /** One that has ended stays as it is. */
  stopJob(id: string): Promise<Job | undefined>
  workers(): Promise<WorkerStatus[]>
  stats(): Promise<Stats>
}
