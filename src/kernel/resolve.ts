import { isIP } from 'node:net'
import type { Retention } from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import type { Plugin } from '../core/plugin.js'
import { retrySchema } from '../core/retry.js'
import type { TaskDefaults } from '../core/task-defaults.js'
import type { HttpSettings } from './config-schema/http.js'
import { plainQueue, type QueueSettings } from './config-schema/queues.js'
import type { ParsedConfig } from './config-schema.js'
import type { Environment } from './env.js'
import { resolveSchedules } from './resolve-schedules.js'
import { resolveTasks } from './resolve-tasks.js'
import type { ResolvedConfig, ResolvedQueue } from './resolved-config.js'
import { isGiven, SourceBook } from './sources.js'

export interface ResolveInput {
  readonly config: ParsedConfig
  /** The config as it was given, to tell what it says itself from what are defaults. */
  readonly given: unknown
  readonly environment: Environment
  /** Where a variable's value came from: `environment PORT`, `.env PORT`, `default` and so on. */
  saidBy(name: string): string
  readonly plugins: readonly Plugin[]
  readonly directory: string
  readonly file?: string | undefined
}

const bad = (message: string) => new RedisDistroError('bad_config', message)

/** Writes down for every leaf of a part of the config whether it was given or is the default. */
function note(book: SourceBook, given: unknown, value: unknown, path: readonly string[]): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) note(book, given, inner, [...path, key])
  } else {
    book.sources.set(path.join('.'), isGiven(given, path) ? 'config' : 'default')
  }
}

function resolveRedis(input: ResolveInput, book: SourceBook) {
  const { config, environment } = input
  const url = environment.REDIS_URL
  if (url === undefined) return config.redis
  book.sources.set('redis.url', input.saidBy('REDIS_URL'))
  return { ...config.redis, sentinel: undefined, cluster: undefined, url }
}

/** Whether an address reaches this machine alone. */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (isIP(bare) === 4) return bare.startsWith('127.')
  return bare === '::1' || bare === 'localhost'
}

function resolveHttp(input: ResolveInput, book: SourceBook): HttpSettings | false {
  const { environment } = input
  const { http } = input.config
  if (http === false) return false
  const { tokens } = http
  const over = <Value>(path: string, value: Value, name: keyof Environment & string): Value => {
    // Each variable's schema gives the type of the key that it stands over.
    const found = environment[name] as Value | undefined
    return book.pick(
      `http.${path}`,
      [[found, input.saidBy(name)]],
      [value, book.of(`http.${path}`)],
    )
  }
  const settings: HttpSettings = {
    ...http,
    host: over('host', http.host, 'HOST'),
    port: over('port', http.port, 'PORT'),
    tokens: {
      api: over('tokens.api', tokens.api, 'API_TOKEN'),
      enqueue: over('tokens.enqueue', tokens.enqueue, 'ENQUEUE_TOKEN'),
      read: over('tokens.read', tokens.read, 'READ_TOKEN'),
    },
  }
  if (isLoopback(settings.host) || settings.tokens.api.length > 0) return settings
  throw bad(
    `the API may not listen on ${settings.host} (${book.of('http.host')}) without a token, for ` +
      'everyone who reaches it could do anything: set API_TOKEN, or leave HOST at 127.0.0.1',
  )
}

function resolveDefaults(input: ResolveInput, book: SourceBook): TaskDefaults {
  const { environment } = input
  const { defaults } = input.config
  const last = [defaults.deadLetter, book.of('defaults.deadLetter')] as const
  const fromEnvironment = [environment.DEAD_KEY, input.saidBy('DEAD_KEY')] as const
  const deadLetter = book.pick('defaults.deadLetter', [fromEnvironment], last)
  return { ...defaults, deadLetter }
}

/** The queues' settings by real name; the one that `default` means comes first. */
function queuesByRealName(input: ResolveInput, real: string): Map<string, QueueSettings> {
  const { default: standard, ...others } = input.config.queues
  if (standard && real !== 'default' && Object.hasOwn(others, real)) {
    throw bad(
      `QUEUE_KEY=${real} gives the queue 'default' the name '${real}', but queues has both ` +
        `'default' and '${real}'; keep one of them, or choose another name`,
    )
  }
  return new Map([
    [real, standard ?? (Object.hasOwn(others, real) ? others[real] : undefined) ?? plainQueue()],
    ...Object.entries(others).filter(([name]) => name !== real),
  ])
}

function resolveRetention(queue: QueueSettings, defaults: TaskDefaults): Retention {
  const limit = (state: keyof Retention) => ({
    age: queue.retention?.[state]?.age ?? defaults.retention[state].age,
    count: queue.retention?.[state]?.count ?? defaults.retention[state].count,
  })
  return { completed: limit('completed'), dead: limit('dead'), cancelled: limit('cancelled') }
}

/** What tasks take over from their queue, by path. */
const takenOver = [
  ['timeout'],
  ['deadLetter'],
  ...Object.keys(retrySchema.shape).map((part) => ['retry', part]),
]

function noteQueue(
  book: SourceBook,
  input: ResolveInput,
  names: [real: string, key: string],
): void {
  const [real, key] = names
  const from = (part: readonly string[]) => isGiven(input.given, ['queues', key, ...part])
  for (const part of ['concurrency', 'partitions', 'weight', 'rate', 'maxActive']) {
    book.sources.set(`queues.${real}.${part}`, from([part]) ? 'config' : 'default')
  }
  for (const path of takenOver) {
    if (from(path)) book.sources.set(`queues.${real}.${path.join('.')}`, 'config')
  }
  for (const state of ['completed', 'dead', 'cancelled']) {
    for (const part of ['age', 'count']) {
      const own = from(['retention', state, part])
      const source = own ? 'config' : book.of(`defaults.retention.${state}.${part}`)
      book.sources.set(`queues.${real}.retention.${state}.${part}`, source)
    }
  }
}

/** The key of `queues` that says of a queue what it is. */
function keyOf(input: ResolveInput, real: string): string {
  const isDefault = real === (input.environment.QUEUE_KEY ?? 'default')
  return isDefault && input.config.queues['default'] ? 'default' : real
}

function resolveQueues(
  input: ResolveInput,
  settings: ReadonlyMap<string, QueueSettings>,
  { defaults, book }: { readonly defaults: TaskDefaults; readonly book: SourceBook },
): Map<string, ResolvedQueue> {
  const queues = new Map<string, ResolvedQueue>()
  for (const [name, queue] of settings) {
    const { concurrency, partitions, weight, rate, maxActive, retry, timeout, deadLetter } = queue
    const retention = resolveRetention(queue, defaults)
    const given = { retry, timeout, deadLetter }
    const limits = { rate, maxActive }
    queues.set(name, { concurrency, partitions, weight, limits, retention, given })
    noteQueue(book, input, [name, keyOf(input, name)])
  }
  return queues
}

function resolveTelemetry(input: ResolveInput, book: SourceBook): ParsedConfig['telemetry'] {
  const { telemetry } = input.config
  const named = [input.environment.OTEL_SERVICE_NAME, input.saidBy('OTEL_SERVICE_NAME')] as const
  const last = [telemetry.service, book.of('telemetry.service')] as const
  return { ...telemetry, service: book.pick('telemetry.service', [named], last) }
}

/** Two queues whose keys would share a hash tag: `a` in parts, and `a:1`. */
function refuseSharedTags(queues: ReadonlyMap<string, QueueSettings>): void {
  for (const [name, { partitions }] of queues) {
    const [, whole = '', part] = /^(.+):(\d+)$/.exec(name) ?? []
    const other = queues.get(whole)
    if (partitions !== 1 || !other || Number(part) >= other.partitions) continue
    throw bad(`queues.${name} would share its keys with a partition of queues.${whole}; rename one`)
  }
}

/** What is counted over a whole queue lies in one place. */
function refuseLimitsOfParts(queues: ReadonlyMap<string, QueueSettings>): void {
  for (const [name, queue] of queues) {
    const limit = (['rate', 'maxActive'] as const).find((key) => queue[key] !== undefined)
    if (limit === undefined || queue.partitions === 1) continue
    throw bad(
      `queues.${name}.${limit} needs partitions: 1, and queue '${name}' has ${queue.partitions}`,
    )
  }
}

/**
 * Config, environment and plugins made one, each value with its source. Pure.
 * @throws RedisDistroError `bad_config` for what fits the schema and still cannot be
 */
export function resolveConfig(input: ResolveInput): ResolvedConfig {
  const { config, environment, given, plugins } = input
  const book = new SourceBook()
  const { plugins: _, tasks, queues: __, ...parts } = config
  note(book, given, parts, [])
  const redis = resolveRedis(input, book)
  const http = resolveHttp(input, book)
  const defaults = resolveDefaults(input, book)
  const named = [environment.QUEUE_KEY, input.saidBy('QUEUE_KEY')] as const
  const defaultQueue = book.pick('defaultQueue', [named], ['default', 'default'])
  book.sources.set('logLevel', input.saidBy('LOG_LEVEL'))
  const queueSettings = queuesByRealName(input, defaultQueue)
  refuseSharedTags(queueSettings)
  refuseLimitsOfParts(queueSettings)
  const queues = resolveQueues(input, queueSettings, { defaults, book })
  const context = {
    tasks,
    queues: queueSettings,
    defaults,
    realName: (queue: string) => (queue === 'default' ? defaultQueue : queue),
    keyOf: (queue: string) => keyOf(input, queue),
    book,
  }
  return {
    directory: input.directory,
    file: input.file,
    production: environment.NODE_ENV === 'production',
    logLevel: environment.LOG_LEVEL,
    redis,
    plugins,
    pluginRoots: config.pluginRoots,
    defaults,
    defaultQueue,
    queues,
    tasks: resolveTasks(plugins, context),
    schedules: resolveSchedules(config),
    worker: config.worker,
    http,
    telemetry: resolveTelemetry(input, book),
    time: config.time,
    sources: book.sources,
  }
}
