import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, resolve } from 'node:path'
import { cosmiconfig, defaultLoaders, getDefaultSearchPlaces, type Loader } from 'cosmiconfig'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { loadModule } from './module-loader.js'
import { textFault } from './source-text.js'

/** A config as it was found, not checked yet. */
export interface FoundConfig {
  readonly value: unknown
  /** Absolute path of the file that holds it. */
  readonly file: string
  /** Absolute path of the project's directory. */
  readonly directory: string
}

export interface FindOptions {
  /** Where the search begins; it goes upward. */
  readonly from: string
  /** A file to take instead of searching; from `from` if relative. */
  readonly file?: string | undefined
  /** Called with the project's directory before any of the user's code runs. */
  prepare(directory: string): Promise<void>
}

const moduleName = 'redisdistro'
const code = ['.js', '.ts', '.cjs', '.mjs', '.mts', '.cts']
const searchPlaces = [
  ...getDefaultSearchPlaces(moduleName),
  `${moduleName}.config.mts`,
  `${moduleName}.config.cts`,
]

const example = `import { defineConfig } from 'redisdistro'
import email from 'redisdistro/plugins/email'
export default defineConfig({ plugins: [email()] })`

function projectOf(file: string): string {
  const directory = dirname(file)
  return basename(directory) === '.config' ? dirname(directory) : directory
}

// A null that a loader gives is taken for no file at all, and the search would go on past it.
const nullMark = Symbol('null')
const marked = (value: unknown): unknown => (value === null ? nullMark : value)

function explorer(prepare: FindOptions['prepare']) {
  const load: Loader = async (file) => {
    await prepare(projectOf(file))
    return marked((await loadModule(file)).value)
  }
  const readText = (file: string, text: string, loader: Loader | undefined) => {
    try {
      return marked(loader?.(file, text))
    } catch (cause) {
      throw new RedisDistroError('bad_config', `${file}${textFault(cause, text)}`)
    }
  }
  const texts = ['.json', '.yaml', '.yml', 'noExt'] as const
  const entries: [string, Loader][] = [
    ...code.map((ending): [string, Loader] => [ending, load]),
    ...texts.map((ending): [string, Loader] => [
      ending,
      (file, text) => readText(file, text, defaultLoaders[ending]),
    ]),
  ]
  return cosmiconfig(moduleName, {
    searchPlaces,
    searchStrategy: 'none',
    ignoreEmptySearchPlaces: false,
    loaders: Object.fromEntries(entries),
  })
}

/** A directory and those above it, up to the home directory or the root. */
function upward(from: string): string[] {
  const directories: string[] = []
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    directories.push(directory)
    if (directory === homedir() || directory === dirname(directory)) return directories
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

async function search(options: FindOptions) {
  const { load, search: searchIn } = explorer(options.prepare)
  if (options.file !== undefined) {
    const file = resolve(options.from, options.file)
    if (!(await exists(file))) {
      throw new RedisDistroError('bad_config', `there is no config file ${file}`)
    }
    return load(file)
  }
  for (const directory of upward(options.from)) {
    const found = await searchIn(directory)
    if (found) return found
  }
  throw new RedisDistroError(
    'bad_config',
    `no redisdistro.config.ts (or another form of it) was found from ${resolve(options.from)} ` +
      `upward; create one:\n\n${example}\n`,
  )
}

/**
 * Finds the config under the name `redisdistro` in any form that cosmiconfig knows, TypeScript
 * included, from a directory upward.
 * @throws RedisDistroError `bad_config` where there is none, or it cannot be loaded or is empty
 */
export async function findConfig(options: FindOptions): Promise<FoundConfig> {
  let found: Awaited<ReturnType<typeof search>>
  try {
    found = await search(options)
  } catch (error) {
    if (isRedisDistroError(error)) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new RedisDistroError('bad_config', message, { cause: error })
  }
  if (!found) throw new RedisDistroError('bad_config', `${options.file} holds no config`)
  if (found.isEmpty) throw new RedisDistroError('bad_config', `${found.filepath} is empty`)
  const value = found.config === nullMark ? null : found.config
  return { value, file: found.filepath, directory: projectOf(found.filepath) }
}
