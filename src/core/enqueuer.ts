import type { EnqueueOptions } from './enqueue-options.js'
import type { State } from './state.js'
import type { Task } from './task.js'

/** What an enqueue answers with. */
export interface EnqueuedTask {
  readonly id: string
  readonly type: string
  readonly queue: string
  readonly state: State
  readonly duplicate: boolean
  /** ISO 8601, where it is scheduled. */
  readonly runAt?: string
  /** The zone its text time was read in. */
  readonly tz?: string
  readonly traceId?: string
}

/** What became of a person's move; on refusal the state that forbids it, or an unknown id. */
export type MoveResult =
  | { readonly ok: true; readonly from: State; readonly task: Task | undefined }
  | { readonly ok: false; readonly reason: 'unknown_task' }
  | { readonly ok: false; readonly reason: 'wrong_state'; readonly state: State }
  /** Another task, `holder`, has its unique key by now. */
  | {
      readonly ok: false
      readonly reason: 'unique_held'
      readonly state: State
      readonly holder: string
    }

/**
 * The kernel's client as plugins get it: it connects when it is first used, and the kernel closes
 * it after the plugins. Each call rejects with a RedisDistroError whose code says what was wrong.
 */
export interface PluginClient {
  enqueue(type: string, payload: unknown, options?: EnqueueOptions): Promise<EnqueuedTask>
  /** One type, many payloads; all are checked before any is written. */
  enqueueMany(
    type: string,
    payloads: readonly unknown[],
    options?: EnqueueOptions,
  ): Promise<EnqueuedTask[]>
  /** Looks a task up; undefined where it is unknown or past its retention. */
  task(id: string, queue?: string): Promise<Task | undefined>
  cancel(id: string, queue?: string): Promise<MoveResult>
}
