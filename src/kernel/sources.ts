import { isRedisDistroError, RedisDistroError } from '../core/errors.js'

/** One place that a value may come from, in the order of precedence. */
export type Candidate<Value> = readonly [value: Value | undefined, source: string]

/** Where each resolved value came from, by its path: `config`, `environment DEAD_KEY`, `default` … */
export type Sources = ReadonlyMap<string, string>

/** Whether a tree has something at a path. */
export function isGiven(tree: unknown, path: readonly string[]): boolean {
  let value = tree
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return false
    value = Reflect.get(value, part)
  }
  return value !== undefined
}

/** Settles each value by precedence, and writes down where it came from. */
export class SourceBook {
  readonly sources = new Map<string, string>()

  /** The first candidate that has a value, or the last resort. */
  pick<Value>(
    path: string,
    candidates: readonly Candidate<Value>[],
    last: readonly [value: Value, source: string],
  ): Value {
    for (const [value, source] of candidates) {
      if (value === undefined) continue
      this.sources.set(path, source)
      return value
    }
    this.sources.set(path, last[1])
    return last[0]
  }

  /** Where a value that was picked before came from. */
  of(path: string): string {
    return this.sources.get(path) ?? 'default'
  }
}

/** A config with where its values came from. */
interface Sourced {
  readonly file?: string | undefined
  readonly sources: Sources
}

/** The same error saying where the values that it is about came from, so that they can be mended. */
export function withSource(error: unknown, config: Sourced, paths: readonly string[]): unknown {
  if (!isRedisDistroError(error)) return error
  const where = paths.flatMap((path) => {
    const source = config.sources.get(path)
    if (source === undefined || source === 'default') return []
    return `${path} from ${source === 'config' ? (config.file ?? 'the config') : source}`
  })
  if (where.length === 0) return error
  const message = `${error.message} (${where.join(', ')})`
  return new RedisDistroError(error.code, message, { issues: error.issues, cause: error })
}
