import type { z } from 'zod'
import { iso, systemClock } from './core/clock.js'
import type { TaskContext, TaskDefinition, TaskLog } from './core/definition.js'
import { parseDuration } from './core/duration.js'
import { RedisDistroError } from './core/errors.js'
import { decideOutcome, type Outcome } from './core/outcome.js'
import { retrySchema } from './core/retry.js'
import { taskDefaultsSchema } from './core/task-defaults.js'

export interface RunTaskOptions {
  /** This run's number, from 1. */
  readonly attempt?: number | undefined
  /** What the handler sees in its context's `task`, where the stand-ins do not do. */
  readonly task?: Partial<TaskContext['task']> | undefined
  /** Aborts the handler's signal, as a cancel or a shutdown would. */
  readonly signal?: AbortSignal | undefined
}

/** One line that a handler logged. */
export interface LogLine {
  readonly level: keyof TaskLog
  readonly message: string
  readonly fields?: Record<string, unknown>
}

/** How one run of a handler went. */
export interface TaskRun<Result> {
  /** What would follow: the task is completed, runs again, or is buried. */
  readonly outcome: Outcome['name']
  /** What the handler returned, where it completed. */
  readonly result?: Result
  /** What it threw, where it did not. */
  readonly error?: unknown
  /** ms until the next attempt, where it would run again; jitter is left out. */
  readonly after?: number
  readonly logs: readonly LogLine[]
  /** Each value that the handler gave to `progress`. */
  readonly progress: readonly unknown[]
}

function recorder(logs: LogLine[]): TaskLog {
  const line = (level: keyof TaskLog) => (message: string, fields?: Record<string, unknown>) => {
    logs.push(fields === undefined ? { level, message } : { level, message, fields })
  }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

async function parsePayload<Schema extends z.ZodType>(
  definition: TaskDefinition<string, Schema>,
  payload: z.input<Schema>,
): Promise<z.output<Schema>> {
  const parsed = await definition.payload.safeParseAsync(payload)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  const words = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  const message = `the payload does not fit '${definition.type}': ${words.join('; ')}`
  throw new RedisDistroError('bad_payload', message, { issues })
}

/** Runs a handler until it ends or its time is over, whichever is first. */
function withinTime<Result>(
  run: (signal: AbortSignal) => Promise<Result> | Result,
  timeout: number,
  outer: AbortSignal | undefined,
): Promise<Result> {
  const own = new AbortController()
  const signal = outer ? AbortSignal.any([outer, own.signal]) : own.signal
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new RedisDistroError('timeout', `the handler ran longer than ${timeout} ms`)
      own.abort(error)
      reject(error)
    }, timeout)
    const end = () => clearTimeout(timer)
    Promise.resolve()
      .then(() => run(signal))
      .finally(end)
      .then(resolve, reject)
  })
}

/**
 * Runs one handler once: its schema, its context, its outcome. Needs no Redis and no config; the
 * definition's own options hold, over the built-in defaults.
 * @throws RedisDistroError `bad_payload` where the payload does not fit the schema
 * @example
 * const { outcome, result } = await runTask(thumbnail, { url: 'https://example.com/a.png' })
 */
export async function runTask<Type extends string, Schema extends z.ZodType, Result>(
  definition: TaskDefinition<Type, Schema, Result>,
  payload: z.input<Schema>,
  options: RunTaskOptions = {},
): Promise<TaskRun<Result>> {
  const { type, queue, handle } = definition
  const parsed = await parsePayload(definition, payload)
  const defaults = taskDefaultsSchema.parse({})
  const set = Object.entries(retrySchema.parse(definition.retry ?? {})).filter(
    ([, v]) => v !== undefined,
  )
  const policy = { ...defaults.retry, ...Object.fromEntries(set) }
  const attempt = options.attempt ?? 1
  const logs: LogLine[] = []
  const progress: unknown[] = []
  const task: TaskContext['task'] = {
    id: 'test',
    type,
    queue: queue ?? 'default',
    attempt,
    maxAttempts: policy.attempts,
    enqueuedAt: new Date(iso(systemClock.now())),
    fence: attempt,
    ...options.task,
  }
  const context = {
    task,
    log: recorder(logs),
    progress: async (value: unknown) => void progress.push(value),
  }
  const timeout = parseDuration(definition.timeout ?? defaults.timeout) ?? defaults.timeout
  // Jitter by no chance takes nothing off, so that `after` is the policy's whole delay.
  const decide = { policy, attempt: task.attempt, random: () => 0 }
  try {
    const run = (signal: AbortSignal) => handle(parsed, { ...context, signal })
    const result = await withinTime(run, timeout, options.signal)
    return { outcome: 'complete', result, logs, progress }
  } catch (error) {
    const outcome = decideOutcome({ kind: 'threw', error }, decide)
    const after = outcome.name === 'retry' ? { after: outcome.after } : {}
    return { outcome: outcome.name, error, ...after, logs, progress }
  }
}
