import { join } from 'node:path'
import { isTaskDefinition } from '../core/definition.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { isPlugin, type Plugin } from '../core/plugin.js'
import type { PluginEntry } from './config-schema.js'
import { loadModule } from './module-loader.js'
import { locatePlugin, type PluginPlace } from './plugin-place.js'

const bad = (message: string, cause?: unknown) =>
  new RedisDistroError('bad_config', message, { cause })

/** The files of plugins that were loaded by path or package. */
const files = new WeakMap<Plugin, string>()

/** Absolute path of a plugin's file; undefined where the config holds its value. */
export const fileOf = (plugin: Plugin): string | undefined => files.get(plugin)

/** A plugin as errors name it: with its file, where it is known. */
export function nameOf(plugin: Plugin): string {
  const file = fileOf(plugin)
  return file === undefined ? `plugin '${plugin.name}'` : `plugin '${plugin.name}' (${file})`
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`
  if (isTaskDefinition(value)) return `the task '${value.type}'; bundle it with definePlugin()`
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  return `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'nothing in it'}`
}

function configure(path: string, exported: unknown, options: unknown): Plugin {
  if (isPlugin(exported)) {
    if (options === undefined) return exported
    throw bad(`plugin '${path}' takes no options, but the config gives it some`)
  }
  if (typeof exported === 'function') {
    let made: unknown
    try {
      made = exported(options ?? {})
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      throw isRedisDistroError(error)
        ? new RedisDistroError(error.code, `${path}: ${words}`, {
            issues: error.issues,
            cause: error,
          })
        : bad(`plugin '${path}': its function threw ${words}`, error)
    }
    if (isPlugin(made)) return made
    throw bad(`plugin '${path}': its default export is a function that returns ${describe(made)}`)
  }
  throw bad(
    `plugin '${path}': its default export is ${describe(exported)}, not what definePlugin() returns`,
  )
}

/** What its code throws on the way is told with the plugin's name, and its file. */
async function importPlugin(path: string, file: string, place: PluginPlace): Promise<unknown> {
  try {
    return (await loadModule(file, place.file)).value
  } catch (error) {
    if (!isRedisDistroError(error)) throw error
    const { code, message, issues } = error
    const where = message.includes(file) ? '' : `${file}: `
    throw new RedisDistroError(code, `plugin '${path}': ${where}${message}`, {
      issues,
      cause: error,
    })
  }
}

async function loadPlugin(entry: PluginEntry, place: PluginPlace): Promise<Plugin> {
  if (isPlugin(entry)) return entry
  const [path, options] = typeof entry === 'string' ? [entry, undefined] : entry
  const file = await locatePlugin(path, place)
  const plugin = configure(path, await importPlugin(path, file, place), options)
  files.set(plugin, file)
  return plugin
}

function refuseDoubles(plugins: readonly Plugin[]): void {
  const names = new Set<string>()
  const owners = new Map<string, string>()
  for (const { name, tasks } of plugins) {
    if (names.has(name)) throw bad(`two plugins are named '${name}'; list it once`)
    names.add(name)
    if (!Array.isArray(tasks)) throw bad(`plugin '${name}': tasks must be an array`)
    for (const task of tasks) {
      if (!isTaskDefinition(task)) {
        throw bad(`plugin '${name}': tasks holds ${describe(task)}, not what defineTask() returns`)
      }
      const owner = owners.get(task.type)
      if (owner !== undefined) {
        const both = owner === name ? `'${name}' twice` : `'${owner}' and '${name}'`
        throw bad(`the task type '${task.type}' is defined by plugin ${both}; keep one`)
      }
      owners.set(task.type, name)
    }
  }
}

/**
 * The plugins that a config lists, loaded where they are paths, in the config's order.
 * @throws RedisDistroError `bad_config` that names the plugin: not found, not one, or there twice
 */
export async function loadPlugins(
  entries: readonly PluginEntry[],
  place: {
    readonly directory: string
    readonly file?: string | undefined
    readonly roots?: readonly string[] | undefined
  },
): Promise<Plugin[]> {
  const { directory, roots = [] } = place
  const file = place.file ?? join(directory, 'redisdistro.config.ts')
  const plugins: Plugin[] = []
  for (const entry of entries) {
    plugins.push(await loadPlugin(entry, { directory, file, roots }))
  }
  refuseDoubles(plugins)
  return plugins
}
