import type { AnyTaskDefinition } from '../core/definition.js'
import { taskSettingsSchema } from '../core/definition.js'
import { RedisDistroError } from '../core/errors.js'
import type { Plugin } from '../core/plugin.js'
import type { ResolvedTask, TaskRegistry } from '../core/registry.js'
import type { RetryPolicy } from '../core/retry.js'
import { nearest } from '../core/spelling.js'
import type { TaskDefaults } from '../core/task-defaults.js'
import type { QueueSettings } from './config-schema/queues.js'
import type { ParsedConfig } from './config-schema.js'
import type { Candidate, SourceBook } from './sources.js'

type TaskSettings = ParsedConfig['tasks'][string]

export interface TaskContextOfConfig {
  readonly tasks: ParsedConfig['tasks']
  /** By real name. */
  readonly queues: ReadonlyMap<string, QueueSettings>
  readonly defaults: TaskDefaults
  realName(queue: string): string
  /** The key of `queues` in the config that a queue's settings stand under. */
  keyOf(queue: string): string
  readonly book: SourceBook
}

const listed = (names: Iterable<string>) => [...names].join(', ') || 'none'

/** What a definition says itself, with its durations in ms. */
function settingsOf({ queue, retry, deadLetter, timeout }: AnyTaskDefinition): TaskSettings {
  return taskSettingsSchema.parse({ queue, retry, deadLetter, timeout })
}

interface Levels {
  readonly type: string
  readonly over: TaskSettings
  readonly own: TaskSettings
  readonly queue: QueueSettings
  /** Where the config says it. */
  readonly queueSource: string
}

function resolveRetry(levels: Levels, { defaults, book }: TaskContextOfConfig): RetryPolicy {
  const { type, over, own, queue, queueSource } = levels
  const part = <Key extends Exclude<keyof RetryPolicy, 'decide'>>(key: Key): RetryPolicy[Key] => {
    // A conditional type of zod's hides that each part is the policy's own.
    const of = (retry: TaskSettings['retry']) => retry?.[key] as RetryPolicy[Key] | undefined
    const candidates: Candidate<RetryPolicy[Key]>[] = [
      [of(over.retry), `config tasks.${type}`],
      [of(own.retry), 'definition'],
      [of(queue.retry), queueSource],
    ]
    const last = [
      defaults.retry[key] as RetryPolicy[Key],
      book.of(`defaults.retry.${key}`),
    ] as const
    return book.pick(`tasks.${type}.retry.${key}`, candidates, last)
  }
  const decide = over.retry?.decide ?? own.retry?.decide
  return {
    attempts: part('attempts'),
    backoff: part('backoff'),
    delay: part('delay'),
    maxDelay: part('maxDelay'),
    jitter: part('jitter'),
    ...(decide ? { decide } : {}),
  }
}

function resolveTask(
  definition: AnyTaskDefinition,
  plugin: string,
  context: TaskContextOfConfig,
): ResolvedTask {
  const { type } = definition
  const { book, defaults, queues } = context
  // A type may be called like what every object inherits.
  const over = (Object.hasOwn(context.tasks, type) && context.tasks[type]) || {}
  const own = settingsOf(definition)
  const wanted: Candidate<string>[] = [
    [over.queue, `config tasks.${type}`],
    [own.queue, 'definition'],
  ]
  const path = `tasks.${type}`
  const called = book.pick(`${path}.queue`, wanted, ['default', 'default'])
  const name = context.realName(called)
  if (name !== called) {
    const renamed = `${book.of(`${path}.queue`)}, renamed by ${book.of('defaultQueue')}`
    book.sources.set(`${path}.queue`, renamed)
  }
  const queue = queues.get(name)
  if (queue === undefined) {
    throw new RedisDistroError(
      'bad_config',
      `task '${type}' waits in the queue '${name}' (${book.of(`${path}.queue`)}), which 'queues' ` +
        `does not have; existing: ${listed(queues.keys())}; add queues: { '${name}': {} }`,
    )
  }
  const queueSource = `config queues.${context.keyOf(name)}`
  const pick = <Key extends 'timeout' | 'deadLetter'>(key: Key): TaskDefaults[Key] => {
    const of = (level: Partial<Pick<TaskSettings, Key>>) => level[key] as TaskDefaults[Key]
    const candidates: Candidate<TaskDefaults[Key]>[] = [
      [of(over), `config tasks.${type}`],
      [of(own), 'definition'],
      [of(queue), queueSource],
    ]
    return book.pick(`${path}.${key}`, candidates, [defaults[key], book.of(`defaults.${key}`)])
  }
  return {
    definition,
    plugin,
    queue: name,
    retry: resolveRetry({ type, over, own, queue, queueSource }, context),
    timeout: pick('timeout'),
    deadLetter: pick('deadLetter'),
  }
}

/**
 * Every type of the plugins with its options settled: `tasks.<type>` over definition over
 * `queues.<name>` over `defaults`, the retry policy part by part.
 * @throws RedisDistroError `bad_config` for a queue that does not exist or a type that nobody defines
 */
export function resolveTasks(
  plugins: readonly Plugin[],
  context: TaskContextOfConfig,
): TaskRegistry {
  const registry = new Map<string, ResolvedTask>()
  for (const { name, tasks } of plugins) {
    for (const definition of tasks) {
      registry.set(definition.type, resolveTask(definition, name, context))
    }
  }
  const unknown = Object.keys(context.tasks).filter((type) => !registry.has(type))
  if (unknown.length === 0) return registry
  const types = [...registry.keys()]
  const issues = unknown.map((type) => {
    const meant = nearest(type, types)
    const hint = meant === undefined ? '' : `; did you mean '${meant}'?`
    const message = `no plugin defines this type; existing: ${listed(types)}${hint}`
    return { path: `tasks.${type}`, message }
  })
  const words = issues.map(({ path, message }) => `${path}: ${message}`).join('\n')
  throw new RedisDistroError('bad_config', words, { issues })
}
