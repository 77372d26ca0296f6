import { realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'
import { isTaskDefinition } from '../core/definition.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { isPlugin, type Plugin } from '../core/plugin.js'
import type { PluginEntry } from './config-schema.js'
import { loadModule } from './module-loader.js'

/** Where paths of plugins lead from. */
export interface PluginPlace {
  /** Absolute path of the project's directory; plugins by path lie in it or in node_modules. */
  readonly directory: string
  /** Absolute path of the file that lists them; paths are relative to its folder. */
  readonly file: string
}

const bad = (message: string, cause?: unknown) =>
  new RedisDistroError('bad_config', message, { cause })

const isRelative = (path: string) => /^\.{1,2}([/\\]|$)/.test(path) || isAbsolute(path)

async function locate(path: string, place: PluginPlace): Promise<string> {
  if (!isRelative(path)) return locatePackage(path, place)
  const target = resolve(dirname(place.file), path)
  const found = createJiti(place.file, { fsCache: false }).esmResolve(target, { try: true })
  if (found === undefined) throw bad(`plugin '${path}': there is no file ${target}`)
  const real = await realpath(found.startsWith('file:') ? fileURLToPath(found) : found)
  const root = await realpath(place.directory)
  const inside = relative(root, real)
  const outside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)
  if (outside && !real.includes(`${sep}node_modules${sep}`)) {
    throw bad(
      `plugin '${path}': ${real} lies outside the project ${root}; ` +
        'move it in, install it as a package, or import it in the config and list its value',
    )
  }
  return real
}

/** A package's file, or its name again where it is a door of the product's own. */
function locatePackage(name: string, place: PluginPlace): string {
  if (name === 'redisdistro/plugins/email') return name
  const jiti = createJiti(place.file, { fsCache: false })
  const found = jiti.esmResolve(name, { try: true }) ?? tryRequire(name, place.file)
  if (found !== undefined) return found.startsWith('file:') ? fileURLToPath(found) : found
  throw bad(
    `plugin '${name}': no such package is installed; a path begins with ./ (as './plugins/${name}')`,
  )
}

function tryRequire(name: string, file: string): string | undefined {
  try {
    return createRequire(file).resolve(name)
  } catch {
    return undefined
  }
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

async function loadPlugin(entry: PluginEntry, place: PluginPlace): Promise<Plugin> {
  if (isPlugin(entry)) return entry
  const [path, options] = typeof entry === 'string' ? [entry, undefined] : entry
  const { value } = await loadModule(await locate(path, place), place.file)
  return configure(path, value, options)
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
  place: { readonly directory: string; readonly file?: string | undefined },
): Promise<Plugin[]> {
  const file = place.file ?? join(place.directory, 'redisdistro.config.ts')
  const plugins: Plugin[] = []
  for (const entry of entries) {
    plugins.push(await loadPlugin(entry, { directory: place.directory, file }))
  }
  refuseDoubles(plugins)
  return plugins
}
