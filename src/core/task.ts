import type { State } from './state.js'

/** Levels of priority, the most urgent last; within a level, first in is first out. */
export const priorities = ['low', 'normal', 'high', 'critical'] as const
export type Priority = (typeof priorities)[number]

/** How one attempt ended. */
export type OutcomeName = 'complete' | 'retry' | 'bury' | 'release' | 'cancel'

/** An error as it is kept with an attempt; `stack` is cut to 4 KiB, `message` to 2 KiB. */
export interface TaskError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
}

/** One attempt that ended; times in ISO 8601. */
export interface AttemptRecord {
  readonly attempt: number
  readonly startedAt: string
  readonly endedAt: string
  readonly outcome: OutcomeName
  readonly error?: TaskError
}

/** A task as people and programs see it: a record, times in ISO 8601. */
export interface Task<Payload = unknown, Result = unknown> {
  readonly id: string
  readonly type: string
  readonly queue: string
  readonly state: State
  readonly payload: Payload
  readonly priority: Priority
  readonly tags: readonly string[]
  readonly enqueuedAt: string
  /** When it is or was due, where it was scheduled or waits for a retry. */
  readonly runAt?: string
  readonly startedAt?: string
  readonly endedAt?: string
  /** Attempts begun, the running one included; 0 before the first. */
  readonly attempt: number
  readonly attempts: readonly AttemptRecord[]
  readonly result?: Result
  readonly progress?: unknown
  /** The dead-letter key it lies under, where it is dead. */
  readonly deadLetter?: string
  readonly traceId?: string
  /** In words, why it is not running. */
  readonly why?: string
  /** In base64, the first bytes of its record, at most 64 KiB, where that cannot be read. */
  readonly raw?: string
}

/** Options of one enqueue that travel with the task for its worker; durations in ms. */
export interface TaskOverrides {
  readonly attempts?: number
  readonly timeout?: number
}

/** The unchanging part of a task, written once and never decoded by Lua. */
export interface TaskBody {
  readonly type: string
  readonly payload: unknown
  /** ms since the epoch, by Redis's clock as the client knows it. */
  readonly enqueuedAt: number
  readonly overrides: TaskOverrides
  readonly tags: readonly string[]
  /** W3C traceparent of the context that enqueued it. */
  readonly traceparent?: string
  /** The instant it was first due, in ms, where it was scheduled. */
  readonly runAt?: number
  /** The zone that its text time was read in, where it had one. */
  readonly tz?: string
}
