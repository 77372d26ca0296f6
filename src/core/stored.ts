import type { MinuteCounts } from './counts.js'
import type { QueueLimits } from './limits.js'
import type { State } from './state.js'
import type { AttemptRecord, Priority, TaskBody } from './task.js'

export type * from './counts.js'

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
  /** By Redis's clock, whatever the enqueuer thought it was. */
  readonly endedAt?: number
  /** Attempt that completed it. */
  readonly completedAttempt?: number
  readonly worker?: string
  readonly fence?: string
  readonly result?: unknown
  readonly progress?: unknown
  /** Place in line from 0, where it is waiting. */
  readonly position?: number
  /** Why its record cannot be read, where it cannot. */
  readonly broken?: string
  /** The first bytes of such a record in base64, at most 64 KiB. */
  readonly raw?: string
}

/** What is known of an id, of a task that ended and whose record is gone too. */
export interface Remembered {
  readonly id: string
  /** Where the record is gone, the state it ended in. */
  readonly state: State
  /** Of the first payload; absent where the caller did not choose the id. */
  readonly fingerprint?: string
}

/** Why a move did not happen; a value, since callers must face it. */
export type Refusal =
  | { readonly ok: false; readonly reason: 'unknown_task' }
  | { readonly ok: false; readonly reason: 'wrong_state'; readonly state: State }
  /** Another task, `holder`, has its unique key by now; it stays in `state`. */
  | {
      readonly ok: false
      readonly reason: 'unique_held'
      readonly state: State
      readonly holder: string
    }

export type Moved = { readonly ok: true; readonly from: State } | Refusal

export interface PartitionCounts {
  readonly depth: Readonly<Record<State, number>>
  readonly paused: boolean
  /** Age in ms of the first in line's enqueue; undefined where none waits. */
  readonly oldestWaiting?: number
  readonly workers: number
  /** Where none lives: when the last one was known to, in ms; undefined where none ever was. */
  readonly workerless?: number
  /** Ids that callers chose and that are remembered, of ended tasks too. */
  readonly remembered: number
  /** Redis's time in ms. */
  readonly now: number
  readonly limits?: LimitState
}

/** The limits that hold, and what a config last said of them. */
export interface LimitState extends QueueLimits {
  /** When the rate's bucket is full again, in ms by Redis's clock. */
  readonly fullAt?: number
  readonly said: QueueLimits
  /** True where what holds is not what the config says. */
  readonly differs: boolean
}

/** What came of a config's word on limits. */
export interface SaidLimits {
  /** True where they hold now and another config's, or a person's, did before. */
  readonly changed: boolean
  /** What held before, and where nothing changed still does. */
  readonly before: QueueLimits
  /** True where that was a person's, not the last config's. */
  readonly byPerson: boolean
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
  /** For each task, the `after` of a page that goes on right behind it. */
  readonly places: readonly string[]
  readonly next?: string
  /** True where it is shorter than was asked for since its records are large. */
  readonly cut: boolean
}

/** Another payload for a task; refused where the task is no longer of this type. */
export interface Edit {
  readonly id: string
  readonly type: string
  readonly payload: unknown
  /** Prints of the payload before and of the new one, for an id that its caller chose. */
  readonly prints: { readonly before: string; readonly after: string }
  /** Let it run now too: a requeue where it has ended, a promotion where it is yet to come. */
  readonly run: boolean
}

export interface DeadSpanCall {
  readonly deadLetter: string
  /** ms, both ends included; left out, without end. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export interface DeadSpan {
  readonly count: number
  /** When the first and the last of them died, in ms. */
  readonly oldest?: number
  readonly newest?: number
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

/** A number of partitions that a queue has, or had and may still hold tasks by. */
export interface Layout {
  readonly queue: string
  readonly partitions: number
  /** When a kernel whose config says so last published it, in ms by Redis's clock. */
  readonly publishedAt: number
}

/** What a kernel publishes. */
export interface Catalogue {
  readonly types: readonly CatalogueType[]
  readonly queues: readonly CatalogueQueue[]
}

/** What all kernels have published. */
export interface PublishedCatalogue extends Catalogue {
  readonly layouts: readonly Layout[]
}
