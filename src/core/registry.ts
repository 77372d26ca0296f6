import type { AnyTaskDefinition } from './definition.js'
import type { RetryPolicy } from './retry.js'

/** A task type with every option resolved: config over definition over queue over defaults. */
export interface ResolvedTask {
  readonly definition: AnyTaskDefinition
  /** The name of the plugin that defines it, where it came with one. */
  readonly plugin?: string | undefined
  /** The queue's real name. */
  readonly queue: string
  readonly retry: RetryPolicy
  /** ms. */
  readonly timeout: number
  readonly deadLetter: string
}

/** What this process can run, by type. A Map, so that no type's name reaches an object's prototype. */
export type TaskRegistry = ReadonlyMap<string, ResolvedTask>
