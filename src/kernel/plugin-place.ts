import { realpath } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'
import { RedisDistroError } from '../core/errors.js'

/** Where paths of plugins lead from, and where they may lead to. */
export interface PluginPlace {
  /** Absolute path of the project's directory. */
  readonly directory: string
  /** Absolute path of the file that lists them; paths are relative to its folder. */
  readonly file: string
  /** Further folders that plugins by path may lie in, as the config gives them. */
  readonly roots: readonly string[]
}

const bad = (message: string) => new RedisDistroError('bad_config', message)

const isPath = (name: string) => /^\.{1,2}([/\\]|$)/.test(name) || isAbsolute(name)

/** A package's name, with a path of its exports behind it; no part of it climbs. */
const packageName = /^(@[\w.~-]+\/)?[\w.~-]+(\/[\w.~-]+)*$/
const climbs = (name: string) => name.split('/').some((part) => /^\.{1,2}$/.test(part))

/** True where a real path lies in a real folder. */
function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
}

async function realRoot(root: string, place: PluginPlace): Promise<string> {
  const folder = resolve(dirname(place.file), root)
  try {
    return await realpath(folder)
  } catch {
    throw bad(`pluginRoots: there is no folder ${folder}`)
  }
}

/**
 * The real file that a plugin's path leads to. Links are followed first: what counts is where the
 * code lies.
 */
async function locateFile(path: string, place: PluginPlace): Promise<string> {
  const target = resolve(dirname(place.file), path)
  const found = createJiti(place.file, { fsCache: false }).esmResolve(target, { try: true })
  if (found === undefined) throw bad(`plugin '${path}': there is no file ${target}`)
  const real = await realpath(found.startsWith('file:') ? fileURLToPath(found) : found)
  const project = await realpath(place.directory)
  const roots = await Promise.all(place.roots.map((root) => realRoot(root, place)))
  if ([project, ...roots].some((root) => isWithin(root, real))) return real
  throw bad(
    `plugin '${path}': ${real} lies outside the project ${project}; move it in, install it as a ` +
      'package and list its name, or name its folder in pluginRoots',
  )
}

/**
 * The file of a package, or its name again where it is a door of the product's own. It is found as
 * an import in the config would find it, wherever the package manager keeps it: who installs a
 * package says by that that its code may run.
 */
function locatePackage(name: string, place: PluginPlace): string {
  if (name === 'redisdistro/plugins/email') return name
  if (!packageName.test(name) || climbs(name)) {
    throw bad(`plugin '${name}': it is neither a path, which begins with ./, nor a package's name`)
  }
  const jiti = createJiti(place.file, { fsCache: false })
  const found = isBuiltin(name)
    ? undefined
    : (jiti.esmResolve(name, { try: true }) ?? tryRequire(name, place.file))
  if (found !== undefined) {
    return found.startsWith('file:') ? fileURLToPath(found) : found
  }
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

/**
 * The file of a plugin that a config names by path or package.
 * @throws RedisDistroError `bad_config` where there is none, or it lies where nobody allowed it
 */
export async function locatePlugin(name: string, place: PluginPlace): Promise<string> {
  return isPath(name) ? await locateFile(name, place) : locatePackage(name, place)
}
