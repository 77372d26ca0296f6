import { join } from 'node:path'
import type { RedisSettings } from '../broker/redis-settings.js'
import type { Retention } from '../core/broker.js'
import type { QueueLimits } from '../core/limits.js'
import type { Plugin } from '../core/plugin.js'
import type { TaskRegistry } from '../core/registry.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { TaskDefaults } from '../core/task-defaults.js'
import type { HttpSettings } from './config-schema/http.js'
import type { QueueSettings } from './config-schema/queues.js'
import type { ParsedConfig } from './config-schema.js'
import type { Environment } from './env.js'
import type { Sources } from './sources.js'

/** One queue of this config; its concurrency is this process's. */
export interface ResolvedQueue {
  readonly concurrency: number
  readonly partitions: number
  readonly weight: number
  readonly limits: QueueLimits
  readonly retention: Retention
  /** What its tasks take where neither config nor definition says it of their type. */
  readonly given: Pick<QueueSettings, 'retry' | 'timeout' | 'deadLetter'>
}

/** Everything that a kernel goes by: config, environment and plugins made one. Durations in ms. */
export interface ResolvedConfig {
  /** Absolute path of the project's directory. */
  readonly directory: string
  /** Absolute path of the config file, where it came from one. */
  readonly file?: string | undefined
  readonly production: boolean
  readonly logLevel: Environment['LOG_LEVEL']
  readonly redis: RedisSettings
  readonly plugins: readonly Plugin[]
  /** As the config gives them. */
  readonly pluginRoots: readonly string[]
  readonly defaults: TaskDefaults
  /** The real name of the queue that `default` means. */
  readonly defaultQueue: string
  /** By real name. */
  readonly queues: ReadonlyMap<string, ResolvedQueue>
  readonly tasks: TaskRegistry
  /** By id, each with its zone. */
  readonly schedules: ReadonlyMap<string, ScheduleRule>
  readonly worker: ParsedConfig['worker']
  readonly http: HttpSettings | false
  readonly telemetry: ParsedConfig['telemetry']
  readonly time: ParsedConfig['time']
  /** By path, as `explainConfig` lists them. */
  readonly sources: Sources
}

/** Absolute path of the project's folder for things made at run time. */
export const runDirectory = (config: Pick<ResolvedConfig, 'directory'>): string =>
  join(config.directory, '.redisdistro')
