import type { z } from 'zod'
import type { AnyTaskDefinition, TaskLog } from './definition.js'
import type { PluginClient } from './enqueuer.js'
import { RedisDistroError } from './errors.js'
import { learnSecretsOf } from './secrets.js'

/** What a plugin's `setup` sees of the kernel. */
export interface PluginHost {
  readonly log: TaskLog
  /** Enqueues, also from handlers that close over it; open as long as the plugin is. */
  readonly client: PluginClient
  /** Absolute path of the project's folder for things made at run time (`.redisdistro`). */
  readonly directory: string
  readonly env: { readonly production: boolean }
}

/** What a plugin's `check` sees: it is called without a kernel, by `redisdistro doctor`. */
export interface PluginCheckHost extends Omit<PluginHost, 'client'> {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

interface PluginParts<Tasks extends readonly AnyTaskDefinition[]> {
  readonly name: string
  readonly tasks: Tasks
}

export interface PluginOptions<Tasks extends readonly AnyTaskDefinition[]>
  extends PluginParts<Tasks> {
  setup?(kernel: PluginHost): Promise<void> | void
  close?(): Promise<void> | void
  /**
   * Looks whether what the plugin needs outside is there, without `setup`, and resolves with what it
   * found, in words. What it throws is a warning; a FatalError says that the plugin will not start.
   */
  check?(host: PluginCheckHost): Promise<string> | string
}

export interface ConfigurablePluginOptions<
  Schema extends z.ZodType,
  Tasks extends readonly AnyTaskDefinition[],
> {
  readonly name: string
  /** Options that the plugin takes; its output type goes to `tasks` and `setup`. */
  readonly options: Schema
  readonly tasks: Tasks | ((options: z.output<Schema>) => Tasks)
  setup?(kernel: PluginHost, options: z.output<Schema>): Promise<void> | void
  close?(): Promise<void> | void
  /** See `PluginOptions`. */
  check?(host: PluginCheckHost, options: z.output<Schema>): Promise<string> | string
}

const brand = Symbol.for('redisdistro.plugin')

/** A named bundle of task definitions, ready to be listed in the config. */
export interface Plugin<Tasks extends readonly AnyTaskDefinition[] = readonly AnyTaskDefinition[]>
  extends PluginParts<Tasks> {
  readonly [brand]: true
  readonly setup?: (kernel: PluginHost) => Promise<void> | void
  readonly close?: () => Promise<void> | void
  readonly check?: (host: PluginCheckHost) => Promise<string> | string
}

export const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' && value !== null && brand in value

/**
 * Bundles task definitions. With `options` (a zod schema) it returns a function of the options'
 * input, so that a config can write `thumbnail({ sizes: [64] })`.
 * @throws RedisDistroError `bad_config` that names the plugin and the option
 * @example export default definePlugin({ name: 'thumbnail', tasks: [thumbnail] })
 */
export function definePlugin<
  Schema extends z.ZodType,
  const Tasks extends readonly AnyTaskDefinition[],
>(options: ConfigurablePluginOptions<Schema, Tasks>): (input: z.input<Schema>) => Plugin<Tasks>
export function definePlugin<const Tasks extends readonly AnyTaskDefinition[]>(
  options: PluginOptions<Tasks>,
): Plugin<Tasks>
export function definePlugin(
  plugin:
    | PluginOptions<readonly AnyTaskDefinition[]>
    | ConfigurablePluginOptions<z.ZodType, readonly AnyTaskDefinition[]>,
): Plugin | ((input: unknown) => Plugin) {
  if (typeof plugin.name !== 'string' || plugin.name === '') {
    throw new RedisDistroError('bad_config', 'a plugin needs a name')
  }
  if (!('options' in plugin)) {
    return Object.freeze({ ...plugin, [brand]: true as const })
  }
  const { name, options: schema, tasks, setup, close, check } = plugin
  return (input) => {
    // They are seen here alone: what holds them later is the plugin's own.
    learnSecretsOf(input)
    const parsed = schema.safeParse(input ?? {})
    if (!parsed.success) {
      const issues = parsed.error.issues.map((i) => ({
        path: i.path.join('.'),
        message: i.message,
      }))
      const words = issues.map((i) => (i.path ? `${i.path}: ${i.message}` : i.message)).join('; ')
      throw new RedisDistroError('bad_config', `plugin '${name}': ${words}`, { issues })
    }
    const options = parsed.data
    return Object.freeze({
      name,
      tasks: typeof tasks === 'function' ? tasks(options) : tasks,
      ...(setup ? { setup: (kernel: PluginHost) => setup(kernel, options) } : {}),
      ...(close ? { close } : {}),
      ...(check ? { check: (host: PluginCheckHost) => check(host, options) } : {}),
      [brand]: true as const,
    })
  }
}
