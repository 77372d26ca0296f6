import { z } from 'zod'
import { lastingSchema } from './duration.js'
import { idPattern, idWords } from './enqueue-options.js'
import { RedisDistroError } from './errors.js'
import { type RetryOptions, retrySchema } from './retry.js'

/** What a handler logs through; the product's own logger, with the task's fields on each line. */
export interface TaskLog {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** What a handler gets beside its payload. */
export interface TaskContext {
  readonly task: {
    readonly id: string
    readonly type: string
    readonly queue: string
    /** This run's number, from 1. */
    readonly attempt: number
    readonly maxAttempts: number
    readonly enqueuedAt: Date
    /** Grows with every lease of the task: guard writes to other systems with it. */
    readonly fence: number
  }
  /** Aborted on timeout, cancel, lost lease and shutdown past its grace. */
  readonly signal: AbortSignal
  readonly log: TaskLog
  /** Stores how far the task is (any JSON value); refused silently once the lease is lost. */
  readonly progress: (value: unknown) => Promise<void>
}

/** The options of a task type that `tasks.<type>` in the config may override. */
export const taskSettingsSchema = z.strictObject({
  queue: z.string().min(1).optional().describe('The queue it waits in.'),
  retry: retrySchema.optional().describe('When and how often it runs again after a failure.'),
  deadLetter: z
    .string()
    .regex(idPattern, idWords)
    .optional()
    .describe('The key that its dead letters lie under.'),
  timeout: lastingSchema.optional().describe('A run longer than this is aborted and fails.'),
})

export interface TaskOptions<Type extends string, Schema extends z.ZodType, Result> {
  readonly type: Type
  /** Enqueuers give its input type, the handler gets its output type. */
  readonly payload: Schema
  readonly queue?: string | undefined
  readonly retry?: RetryOptions | undefined
  readonly deadLetter?: string | undefined
  readonly timeout?: string | number | undefined
  handle(payload: z.output<Schema>, context: TaskContext): Promise<Result> | Result
}

const brand = Symbol.for('redisdistro.task')

/** A kind of task: what it takes, how it goes, and the function that does it. */
export interface TaskDefinition<
  Type extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Result = unknown,
> extends TaskOptions<Type, Schema, Result> {
  readonly [brand]: true
}

/** Any definition, where its payload and result do not matter. */
// biome-ignore lint/suspicious/noExplicitAny: a handler's payload is contravariant; only `any` holds all of them
export type AnyTaskDefinition = TaskDefinition<string, any, any>

/**
 * Defines a task type. Only `type`, `payload` and `handle` are needed.
 * @throws RedisDistroError `bad_config` that names the option
 * @example
 * const hello = defineTask({
 *   type: 'hello',
 *   payload: z.object({ name: z.string() }),
 *   handle: ({ name }) => `Hello ${name}`,
 * })
 */
export function defineTask<const Type extends string, Schema extends z.ZodType, Result>(
  options: TaskOptions<Type, Schema, Result>,
): TaskDefinition<Type, Schema, Result> {
  const { type, payload, handle, ...settings } = options
  const where = typeof type === 'string' ? `task '${type}'` : 'a task'
  if (typeof type !== 'string' || !idPattern.test(type)) {
    throw new RedisDistroError('bad_config', `${where}: type ${idWords}`)
  }
  if (typeof payload?.safeParse !== 'function') {
    throw new RedisDistroError('bad_config', `${where}: payload must be a zod schema`)
  }
  if (typeof handle !== 'function') {
    throw new RedisDistroError('bad_config', `${where}: handle must be a function`)
  }
  const checked = taskSettingsSchema.safeParse(settings)
  if (!checked.success) {
    const issues = checked.error.issues.map((i) => ({ path: i.path.join('.'), message: i.message }))
    const words = issues.map((i) => (i.path ? `${i.path}: ${i.message}` : i.message)).join('; ')
    throw new RedisDistroError('bad_config', `${where}: ${words}`, { issues })
  }
  return Object.freeze({ ...options, [brand]: true as const })
}

export const isTaskDefinition = (value: unknown): value is AnyTaskDefinition =>
  typeof value === 'object' && value !== null && brand in value
