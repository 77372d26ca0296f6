import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createJiti, type Jiti } from 'jiti'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { redact } from '../core/secrets.js'
import { withoutSnippet, withoutTexts } from './source-text.js'

/** What a user's own file, or what it imports, has as its default export. */
export interface LoadedModule {
  readonly value: unknown
}

const doors = {
  redisdistro: '../index',
  'redisdistro/client': '../client',
  'redisdistro/testing': '../testing',
  'redisdistro/plugins/email': '../../plugins/email/index',
}

// Built files load built ones, and sources under test load sources.
const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const importUrl = (path: string): Promise<unknown> =>
  import(new URL(`${path}${ending}`, import.meta.url).href)

/**
 * This copy's doors, handed to a user's files under their names: one copy serves both, and a file
 * outside any installation finds them too.
 */
async function ownModules(from: string): Promise<Record<string, unknown>> {
  const entries = Object.entries(doors).map(async ([name, path]) => [name, await importUrl(path)])
  const modules: Record<string, unknown> = Object.fromEntries(await Promise.all(entries))
  if (!canResolve('zod', from)) modules['zod'] = await import('zod')
  return modules
}

function canResolve(name: string, from: string): boolean {
  try {
    createRequire(from).resolve(name)
    return true
  } catch {
    return false
  }
}

interface Place {
  readonly file: string
  readonly line?: number
  /** From 1; known for what cannot be parsed, since compiled code keeps lines alone. */
  readonly column?: number
}

/** Where the error happened in the user's own files, as far as it says so. */
function placeOf(error: unknown, path: string): Place {
  if (!(error instanceof Error)) return { file: path }
  const parsed = /^\s*(\/.+|[A-Za-z]:\\.+):(\d+):(\d+)\s*$/m.exec(error.message)
  if (parsed?.[1] !== undefined) {
    // The parser counts columns from 0.
    return { file: parsed[1], line: Number(parsed[2]), column: Number(parsed[3]) + 1 }
  }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const own = frames.find((line) => !/node_modules|node:|\(native\)|<anonymous>/.test(line))
  const frame = /\(?((?:file:\/\/)?[^\s()]+):(\d+):\d+\)?$/.exec(own ?? '')
  if (frame?.[1] === undefined || /[/\\]module-loader\.[jt]s$/.test(frame[1])) return { file: path }
  return { file: frame[1].replace(/^file:\/\//, ''), line: Number(frame[2]) }
}

/** The line of a place, with a mark below the column and without what may be a secret. */
async function frameOf({ file, line, column }: Place): Promise<string> {
  if (line === undefined) return ''
  try {
    const text = (await readFile(file, 'utf8')).split('\n')[line - 1]
    if (text === undefined || text.length > 200) return ''
    const gutter = `  ${line} | `
    const mark = column === undefined ? '' : `\n${' '.repeat(gutter.length + column - 1)}^`
    const shown = withoutTexts(text)
    return shown === undefined ? '' : `\n${gutter}${shown}${mark}`
  } catch {
    return ''
  }
}

async function explain(error: unknown, path: string): Promise<RedisDistroError> {
  if (isRedisDistroError(error)) {
    const message = `${path}: ${error.message}`
    return new RedisDistroError(error.code, message, { issues: error.issues, cause: error })
  }
  const place = placeOf(error, path)
  const words = error instanceof Error ? error.message : String(error)
  const where = [place.file, place.line, place.column]
    .filter((part) => part !== undefined)
    .join(':')
  const said = withoutSnippet(redact(words))
    .replace(/^ParseError:\s*([\s\S]*?)\s*\n.*$/, 'syntax error: $1')
    .replace(/\nRequire stack:[\s\S]*$/, '')
    .trim()
  const frame = await frameOf(place)
  return new RedisDistroError('bad_config', `${where}: ${said}${frame}`, { cause: error })
}

/** The module whose default export is null, over which jiti stumbles; else the error again. */
async function nullOr(error: unknown, plain: Jiti, path: string): Promise<unknown> {
  if (!(error instanceof TypeError)) throw error
  const loaded: unknown = await plain.import(path).catch(() => undefined)
  const isNull = typeof loaded === 'object' && loaded !== null && 'default' in loaded
  if (isNull && loaded.default === null) return loaded
  throw error
}

/**
 * Loads a user's file in any of JavaScript's and TypeScript's forms, with all that it imports, and
 * gives its default export (or what a CommonJS file exports). `path` is absolute, or the name of one
 * of the product's doors as seen `from` a file.
 * @throws RedisDistroError `bad_config` that names the file and, where known, line and column
 */
export async function loadModule(path: string, from = path): Promise<LoadedModule> {
  let loaded: unknown
  try {
    const virtualModules = await ownModules(from)
    const options = { fsCache: false, moduleCache: false, tsconfigPaths: true, virtualModules }
    loaded = await createJiti(from, options)
      .import(path)
      .catch((error: unknown) =>
        nullOr(error, createJiti(from, { ...options, interopDefault: false }), path),
      )
  } catch (error) {
    throw await explain(error, path)
  }
  if (typeof loaded !== 'object' || loaded === null) return { value: loaded }
  if ('default' in loaded) return { value: loaded.default }
  const text = await readFile(path, 'utf8')
  if (/\bmodule\.exports\b|^\s*export\s*=|\bexports\.\w/m.test(text)) return { value: loaded }
  throw new RedisDistroError('bad_config', `${path} has no default export`)
}
